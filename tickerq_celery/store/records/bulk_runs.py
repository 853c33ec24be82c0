"""The runs that a bulk job means: found by their ids in bounded steps, and locked without waiting."""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select

from tickerq_celery.enums import RETRIABLE, BulkAction, TickerStatus
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.reading.filters import conditions
from tickerq_celery.store.records.bulk_jobs import LockedJob
from tickerq_celery.store.runs.locked_runs import LockedRun
from tickerq_celery.store.runs.starts import STARTED, started
from tickerq_celery.store.tables import tickers

# A batch is one transaction: it reads so many rows of a filter's walk, and locks so many runs.
MOST_READ = 2_000
MOST_LOCKED = 500
_OWN = (
    tickers.c.status,
    tickers.c.unique_key,
    tickers.c.created_at,
    tickers.c.ended_at,
    tickers.c.retried_at,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The next runs of a job, in the order of their ids, and whether there are no others after them."""

    ids: Sequence[UUID]
    position: UUID | None
    is_last: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkRun(LockedRun):
    """A run that a batch has locked."""

    created_at: datetime
    ended_at: datetime | None
    retried_at: datetime | None


def next_part(tx: Transaction, job: LockedJob) -> Part:
    """Return the runs that follow those that a job has looked at."""
    if job.ids is not None:
        first = 0 if job.position is None else bisect_right(job.ids, job.position)
        ids = job.ids[first : first + MOST_LOCKED]
        return _part(ids, job.position, is_last=first + MOST_LOCKED >= len(job.ids))
    # A walk along the primary key: whatever the filter, a step of it reads so many rows and no more.
    beyond = [] if job.position is None else [tickers.c.id > job.position]
    step = select(tickers.c.id).where(*beyond).order_by(tickers.c.id)
    top = tx.scalar(step.offset(MOST_READ - 1).limit(1))
    within = beyond if top is None else [*beyond, tickers.c.id <= top]
    found = tx.scalars(
        select(tickers.c.id).where(*within, *_meant(tx, job)).order_by(tickers.c.id).limit(MOST_LOCKED)
    ).all()
    if top is None or len(found) == MOST_LOCKED:
        return _part(found, job.position, is_last=len(found) < MOST_LOCKED)
    return Part(ids=found, position=top, is_last=False)


def lock(tx: Transaction, job: LockedJob, ids: Collection[UUID]) -> dict[UUID, BulkRun]:
    """Lock those of a job's runs that no other transaction has locked, and return them in their order.

    Of a filter's those only that still meet it.
    """
    statement = (
        select(*STARTED, *_OWN)
        .where(tickers.c.id.in_(list(ids)), tickers.c.namespace == tx.namespace)
        .order_by(tickers.c.id)
        .with_for_update(skip_locked=True)
    )
    if job.ids is None:
        statement = statement.where(*_meant(tx, job))
    rows: Iterable[Any] = tx.execute(statement)
    return {
        row.id: BulkRun(
            run=started(row),
            status=row.status,
            unique_key=row.unique_key,
            created_at=row.created_at,
            ended_at=row.ended_at,
            retried_at=row.retried_at,
        )
        for row in rows
    }


def still_meant(tx: Transaction, job: LockedJob, ids: Collection[UUID]) -> set[UUID]:
    """Return those of a job's runs that are there, and of a filter's those that meet it, locked or not."""
    if not ids:
        return set()
    statement = select(tickers.c.id).where(tickers.c.id.in_(list(ids)), tickers.c.namespace == tx.namespace)
    if job.ids is None:
        statement = statement.where(*_meant(tx, job))
    return set(tx.scalars(statement))


def action_conditions(action: BulkAction, as_of: datetime) -> list[ColumnElement[bool]]:
    """Return what is true of the runs that an action can be done to, and was at ``as_of``."""
    was_there = tickers.c.created_at <= as_of
    had_not_ended = or_(tickers.c.retried_at.is_(None), tickers.c.retried_at <= as_of)
    if action is BulkAction.RETRY:
        # One that was retried and has failed again since is not meant.
        return [was_there, tickers.c.ended_status.in_(sorted(RETRIABLE)), tickers.c.ended_at <= as_of]
    if action is BulkAction.DELETE:
        has_waited = and_(tickers.c.status == TickerStatus.IDLE, had_not_ended)
        return [was_there, or_(tickers.c.ended_at <= as_of, has_waited)]
    return [was_there, tickers.c.ended_at.is_(None), had_not_ended]


def _meant(tx: Transaction, job: LockedJob) -> list[ColumnElement[bool]]:
    asked = [] if job.wanted is None else conditions(tx, job.wanted)
    own = action_conditions(job.action, job.view.as_of)
    return [tickers.c.namespace == tx.namespace, *asked, *own]


def _part(ids: Sequence[UUID], position: UUID | None, *, is_last: bool) -> Part:
    return Part(ids=ids, position=ids[-1] if ids else position, is_last=is_last)
