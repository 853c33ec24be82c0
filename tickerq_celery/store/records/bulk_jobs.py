"""Bulk jobs: what each is to do, how far it is, and how it ended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, insert, select, update

from tickerq_celery.enums import BulkAction, BulkState
from tickerq_celery.store.database.transaction import Transaction, rowcount
from tickerq_celery.store.reading.filter_json import filter_from_json
from tickerq_celery.store.reading.views import cursor_id, page_size
from tickerq_celery.store.records import audit
from tickerq_celery.store.records.audit import Draft
from tickerq_celery.store.tables import bulk
from tickerq_celery.tickers.audit import ObjectKind
from tickerq_celery.tickers.bulk import ACTIVE, BulkJob, BulkSkip
from tickerq_celery.tickers.criteria import RunFilter
from tickerq_celery.tickers.effect import Change
from tickerq_celery.tickers.pages import Page
from tickerq_celery.validation import storable

_LONGEST_ERROR = 2_000
_WHO = ("actor", "role", "address", "via", "request_id", "said_by", "reason")
_MOST_ACTIVE = 100
_IS_ACTIVE = bulk.c.state.in_(sorted(each.value for each in ACTIVE))
# Not the ids, which may be many.
_SHOWN = tuple(column for column in bulk.c if column.name not in {"ids", "position", "later"})
_ACTIONS = frozenset(each.value for each in BulkAction)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """A bulk job to be stored: of ``ids``, or of a filter as JSON."""

    id: UUID
    action: BulkAction
    ids: Sequence[UUID] | None
    wanted: Mapping[str, Any] | None
    # None is now.
    as_of: datetime | None
    who: Draft
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedJob:
    """A bulk job that this transaction has locked, and how far it is."""

    view: BulkJob
    action: BulkAction
    ids: Sequence[UUID] | None
    wanted: RunFilter | None
    position: UUID | None
    later: Sequence[UUID]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What a batch of a job came to; ``position`` and ``later`` say where the next one goes on."""

    changed: int
    skips: Sequence[BulkSkip]
    position: UUID | None
    later: Sequence[UUID]


def add(tx: Transaction, job: NewJob) -> None:
    """Store a bulk job, which waits for a beat."""
    now = tx.now
    ids = None if job.ids is None else [str(each) for each in job.ids]
    row = {
        "id": job.id,
        "namespace": tx.namespace,
        "action": job.action.value,
        "state": BulkState.WAITING.value,
        "ids": ids,
        "total": None if ids is None else len(ids),
        "wanted": job.wanted,
        "as_of": now if job.as_of is None else job.as_of,
        "actor": job.who.actor,
        "role": job.who.role,
        "address": job.who.address,
        "via": job.who.via,
        "request_id": job.who.request_id,
        "said_by": job.who.said_by,
        "reason": job.reason,
        "position": None,
        "later": [],
        "changed": 0,
        "skipped": 0,
        "skips": {},
        "created_at": now,
        "updated_at": now,
        "batches": 0,
    }
    tx.execute(insert(bulk).values(row))


def get(tx: Transaction, job_id: UUID) -> BulkJob | None:
    """Return a bulk job, or None."""
    row = tx.execute(select(*_SHOWN).where(*_one(tx, job_id))).one_or_none()
    return None if row is None else _view_of(row)


def find(
    tx: Transaction, *, action: BulkAction | None, state: BulkState | None, limit: int, cursor: str | None
) -> Page[BulkJob]:
    """Return a page of bulk jobs, the newest first."""
    size = page_size(limit)
    statement = select(*_SHOWN).where(bulk.c.namespace == tx.namespace)
    if action is not None:
        statement = statement.where(bulk.c.action == action.value)
    if state is not None:
        statement = statement.where(bulk.c.state == state.value)
    after = cursor_id(cursor)
    if after is not None:
        statement = statement.where(bulk.c.id < after)
    rows = tx.execute(statement.order_by(bulk.c.id.desc()).limit(size + 1)).all()
    items = tuple(_view_of(row) for row in rows[:size])
    return Page(items, next_cursor=str(items[-1].id) if len(rows) > size else None)


def active(tx: Transaction) -> Sequence[UUID]:
    """Return the jobs that have not ended, those first that have had no batch for the longest time."""
    statement = select(bulk.c.id).where(bulk.c.namespace == tx.namespace, _IS_ACTIVE)
    return tx.scalars(statement.order_by(bulk.c.updated_at, bulk.c.id).limit(_MOST_ACTIVE)).all()


def lock(tx: Transaction, job_id: UUID) -> LockedJob | None:
    """Lock a job that has not ended, or return None; also where another beat is at it.

    Raises:
        ValueError: A newer version has stored an action or a filter that this one does not know.
    """
    statement = select(bulk).where(*_one(tx, job_id), _IS_ACTIVE).with_for_update(skip_locked=True)
    row = tx.execute(statement).one_or_none()
    if row is None:
        return None
    return LockedJob(
        view=_view_of(row),
        action=BulkAction(row.action),
        ids=None if row.ids is None else [UUID(each) for each in row.ids],
        wanted=None if row.wanted is None else filter_from_json(row.wanted),
        position=row.position,
        later=[UUID(each) for each in row.later],
    )


def save(tx: Transaction, job_id: UUID, batch: Batch, *, is_last: bool) -> None:
    """Write what a batch of a locked job came to, in the transaction that did it."""
    now = tx.sql_now()
    end = {"state": BulkState.DONE.value, "ended_at": now} if is_last else {"state": BulkState.RUNNING.value}
    statement = (
        update(bulk)
        .where(bulk.c.id == job_id)
        .values(
            **end,
            changed=bulk.c.changed + batch.changed,
            skipped=sum(each.count for each in batch.skips),
            skips={each.reason: [each.count, [str(one) for one in each.examples]] for each in batch.skips},
            position=batch.position,
            later=[str(each) for each in batch.later],
            batches=bulk.c.batches + 1,
            started_at=func.coalesce(bulk.c.started_at, now),
            updated_at=now,
        )
    )
    if rowcount(tx, statement) != 1:
        raise AssertionError(f"bulk job {job_id} was locked and is gone")
    if is_last:
        _record_end(tx, job_id)


def stop(tx: Transaction, job_id: UUID) -> bool:
    """End a job after its current batch, for which this waits; return False if it has ended."""
    return _end(tx, job_id, BulkState.STOPPED, error=None)


def fail(tx: Transaction, job_id: UUID, error: str) -> bool:
    """End a job that cannot go on; return False if it has ended."""
    has_failed = _end(tx, job_id, BulkState.FAILED, error=storable(error, _LONGEST_ERROR))
    if has_failed:
        _record_end(tx, job_id)
    return has_failed


def _end(tx: Transaction, job_id: UUID, state: BulkState, *, error: str | None) -> bool:
    now = tx.sql_now()
    statement = (
        update(bulk)
        .where(*_one(tx, job_id), _IS_ACTIVE)
        .values(state=state.value, error=error, ended_at=now, updated_at=now)
    )
    return rowcount(tx, statement) == 1


def _record_end(tx: Transaction, job_id: UUID) -> None:
    """Add the end of a job to the audit, in the name of who started it, with how many runs it has changed."""
    row = tx.execute(select(*_SHOWN).where(*_one(tx, job_id))).one()
    draft = Draft(
        action="bulk.end",
        object_kind=ObjectKind.BULK_JOB.value,
        object_id=str(job_id),
        **{name: getattr(row, name) for name in _WHO},
    )
    ended = _view_of(row)
    audit.add(tx, draft, Change(count=ended.changed, after=ended.outcome()))


def _one(tx: Transaction, job_id: UUID) -> tuple[Any, ...]:
    return (bulk.c.id == job_id, bulk.c.namespace == tx.namespace)


def _view_of(row: Row[Any]) -> BulkJob:
    """Return the view of a row that has the columns ``_SHOWN``."""
    skips = tuple(
        BulkSkip(reason=reason, count=count, examples=tuple(UUID(each) for each in examples))
        for reason, (count, examples) in row.skips.items()
    )
    return BulkJob(
        id=row.id,
        namespace=row.namespace,
        action=BulkAction(row.action) if row.action in _ACTIONS else row.action,
        state=BulkState(row.state),
        what=_what(row.total, row.wanted),
        filters=row.wanted,
        total=row.total,
        as_of=row.as_of,
        actor=row.actor,
        said_by=row.said_by,
        reason=row.reason,
        changed=row.changed,
        skipped=row.skipped,
        skips=skips,
        error=row.error,
        created_at=row.created_at,
        started_at=row.started_at,
        updated_at=row.updated_at,
        ended_at=row.ended_at,
    )


def _what(total: int | None, wanted: Mapping[str, Any] | None) -> str:
    """Return in words which runs a job means."""
    if total is not None:
        return f"{total:,} by id"
    return _listed(wanted or {}) or "everything"


def _listed(wanted: Mapping[str, Any]) -> str:
    return ", ".join(
        f"not ({_listed(value)})" if isinstance(value, Mapping) else f"{name}={_shown(value)}"
        for name, value in wanted.items()
    )


def _shown(value: Any) -> str:
    return "|".join(str(each) for each in value) if isinstance(value, list) else str(value)
