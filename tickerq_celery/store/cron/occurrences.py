"""New occurrences, instants that have one, and occurrences that have not begun."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select, true, update
from sqlalchemy.exc import IntegrityError

from tickerq_celery.enums import HoldReason, TickerStatus
from tickerq_celery.store.database.batches import (
    in_parts,
    insert_if_absent,
    update_columns,
    write_in_parts,
)
from tickerq_celery.store.database.transaction import Transaction, rowcount, savepoint
from tickerq_celery.store.reading.row_mapping import cron_columns, run_columns
from tickerq_celery.store.runs import chains, runs
from tickerq_celery.store.runs.holds import BY_CLAIM, DECIDING, UNHELD
from tickerq_celery.store.runs.starts import is_running
from tickerq_celery.store.tables import tickers
from tickerq_celery.tickers.claims import Started
from tickerq_celery.tickers.cron_rows import CronEdit, CronRow
from tickerq_celery.tickers.run_rows import RunRow, occurrence_children

_LARGEST_DELETE = 500
_IS_IDLE = tickers.c.status == TickerStatus.IDLE
# Not claim_no: what could not be published was claimed, and is given back as it was.
_IS_PENDING = (_IS_IDLE, tickers.c.started_at.is_(None))
_REQUEST = {"request", "encoding"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """An occurrence that this transaction has locked; one that was never claimed has number 0."""

    id: UUID
    claim_no: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOccurrences:
    """The new occurrences of one locked cron ticker."""

    cron: CronRow
    rows: Sequence[RunRow]


def add(tx: Transaction, cron: CronRow, rows: Sequence[RunRow]) -> None:
    """Store occurrences of a locked cron ticker, each with its own copy of the chain.

    Those whose instant has its occurrence already stay as they are.
    """
    add_all(tx, [NewOccurrences(cron=cron, rows=rows)])


def add_all(tx: Transaction, new: Sequence[NewOccurrences]) -> None:
    """Store occurrences of several locked cron tickers; see ``add``."""
    insert(tx, [row for each in new for row in each.rows])
    heads = {row.id: (each.cron, row) for each in new for row in each.rows if row.has_children}
    # Where the instant had its occurrence already, ours was not stored, and that one has its chain.
    stored = [heads[head_id] for head_id in runs.stored_among(tx, heads)]
    runs.insert(tx, [child for cron, row in stored for child in occurrence_children(cron, row, now=tx.now)])


def remove_some(tx: Transaction, ids: Collection[UUID]) -> int:
    """Delete some of the occurrences of cron tickers, with their attempts; return how many, 0 at the end."""
    found = tx.scalars(
        select(tickers.c.id)
        .where(tickers.c.cron_ticker_id.in_(list(ids)), tickers.c.namespace == tx.namespace)
        .limit(_LARGEST_DELETE)
    ).all()
    if found:
        chains.remove_with_descendants(tx, found)
    return len(found)


def insert(tx: Transaction, occurrences: Sequence[RunRow]) -> None:
    """Insert occurrences; those whose instant is there already stay as they are."""
    insert_if_absent(tx, tickers, [run_columns(each) for each in occurrences])


def taken_among(tx: Transaction, cron_id: UUID, instants: Sequence[datetime]) -> set[datetime]:
    """Return those of the ``instants`` that have their occurrence, however far apart they lie."""
    statement = select(tickers.c.instant).where(tickers.c.cron_ticker_id == cron_id)
    taken = in_parts(instants, lambda part: tx.scalars(statement.where(tickers.c.instant.in_(part))).all())
    return {instant for instant in taken if instant is not None}


def after(tx: Transaction, cron_ids: Sequence[UUID], moment: datetime) -> dict[UUID, set[datetime]]:
    """Return the instants after a moment that have their occurrence, by their cron tickers.

    To come only a skipped one has its occurrence.
    """
    statement = select(tickers.c.cron_ticker_id, tickers.c.instant).where(tickers.c.instant > moment)
    rows = in_parts(
        cron_ids, lambda part: tx.execute(statement.where(tickers.c.cron_ticker_id.in_(part))).all()
    )
    found: dict[UUID, set[datetime]] = {}
    for row in rows:
        found.setdefault(row.cron_ticker_id, set()).add(row.instant)
    return found


def lock_at(tx: Transaction, cron_id: UUID, instant: datetime) -> Occurrence | None:
    """Lock the occurrence of an instant and return it, or None where it has none."""
    row: Any = tx.execute(
        select(tickers.c.id, tickers.c.claim_no)
        .where(tickers.c.cron_ticker_id == cron_id, tickers.c.instant == instant)
        .with_for_update()
    ).one_or_none()
    return None if row is None else Occurrence(id=row.id, claim_no=row.claim_no)


def hold_pending(tx: Transaction, cron_id: UUID) -> None:
    """Hold the occurrences of a paused cron ticker that are due; a claim holds the others once they are.

    As it holds those that another transaction has locked, which are passed over.
    """
    due = (
        _IS_IDLE,
        tickers.c.instant.is_not(None),
        tickers.c.due_at <= tx.sql_now(),
    )
    # By the index of what is due: a fire pauses, too, and has no time to look through a history.
    found = tx.scalars(
        select(tickers.c.id).where(
            tickers.c.namespace == tx.namespace, tickers.c.cron_ticker_id == cron_id, *due
        )
    ).all()
    free = select(tickers.c.id).where(*due).with_for_update(skip_locked=True)
    locked = in_parts(found, lambda part: tx.scalars(free.where(tickers.c.id.in_(part))).all())
    _write(
        tx,
        locked,
        {
            "due_at": None,
            "held_for": HoldReason.PAUSED.value,
            "hold_key": str(cron_id),
            "held_since": tx.sql_now(),
        },
    )


def lock_pending(tx: Transaction, cron_ids: Sequence[UUID]) -> dict[UUID, dict[UUID, datetime]]:
    """Lock the occurrences of cron tickers' instants that have not begun.

    Returns their instants by their ids, by their cron tickers.
    """
    pending = select(tickers.c.id, tickers.c.cron_ticker_id, tickers.c.instant).where(
        *_IS_PENDING, tickers.c.instant.is_not(None)
    )
    rows = in_parts(
        [each for ids in _pending_of(tx, cron_ids).values() for each in ids],
        lambda part: tx.execute(pending.where(tickers.c.id.in_(part)).with_for_update()).all(),
    )
    found: dict[UUID, dict[UUID, datetime]] = {}
    for row in rows:
        found.setdefault(row.cron_ticker_id, {})[row.id] = row.instant
    return found


def rewrite_pending(tx: Transaction, edits: Sequence[CronEdit]) -> None:
    """Write what edits changed of cron tickers into their occurrences that have not begun.

    A manual run keeps the request that it was given.
    """
    changed = {each.after.id: (each.after, each.changed_work) for each in edits if each.changed_work}
    if not changed:
        return
    found = _pending_of(tx, list(changed))
    alike: dict[frozenset[str], list[CronRow]] = {}
    for cron, names in changed.values():
        for part in (names & _REQUEST, names - _REQUEST):
            if part and cron.id in found:
                alike.setdefault(part, []).append(cron)
    for names, crons in alike.items():
        which = tickers.c.instant.is_not(None) if names <= _REQUEST else true()
        changed_columns = [(cron_columns(cron, names), len(found[cron.id])) for cron in crons]
        columns = {
            name: [each[name] for each, times in changed_columns for _ in range(times)] for name in names
        }
        update_columns(tx, tickers, _ids(found, crons), columns, *_IS_PENDING, which)
    # What held them may be gone; if it is not, the next claim holds them again.
    deciding = [cron for cron, names in changed.values() if names & DECIDING and cron.id in found]
    by_claim = tickers.c.held_for.in_([reason.value for reason in BY_CLAIM])
    released = {"due_at": tx.sql_now(), **UNHELD}
    _write(tx, _ids(found, deciding), released, *_IS_PENDING, by_claim)


def _ids(found: Mapping[UUID, Sequence[UUID]], crons: Sequence[CronRow]) -> list[UUID]:
    return [each for cron in crons for each in found[cron.id]]


def _pending_of(tx: Transaction, cron_ids: Sequence[UUID]) -> dict[UUID, list[UUID]]:
    """Return the occurrences that have not begun, by their cron tickers."""
    # Read before they are locked by their ids: MariaDB locks all that a search for a cron ticker passes,
    # which is its whole history and what runs, for as long as the function's own transaction takes.
    pending = select(tickers.c.id, tickers.c.cron_ticker_id).where(*_IS_PENDING)
    rows = in_parts(
        cron_ids, lambda part: tx.execute(pending.where(tickers.c.cron_ticker_id.in_(part))).all()
    )
    found: dict[UUID, list[UUID]] = {}
    for row in rows:
        found.setdefault(row.cron_ticker_id, []).append(row.id)
    return found


def _write(
    tx: Transaction, ids: Sequence[UUID], values: Mapping[str, object], *which: ColumnElement[bool]
) -> None:
    statement = update(tickers).where(*which).values(**values)
    write_in_parts(tx, statement, tickers.c.id, ids)


def take_alone(tx: Transaction, run: Started) -> bool:
    """Let an occurrence be the one of its cron ticker that runs, until it ends; return True if it may.

    Of several that have started, the one of the lowest execution time and id may, unless another was let
    before it started.
    """
    return not _has_elder(tx, run) and _take(tx, run)


def _has_elder(tx: Transaction, run: Started) -> bool:
    is_elder = or_(
        tickers.c.execution_time < run.execution_time,
        and_(tickers.c.execution_time == run.execution_time, tickers.c.id < run.id),
    )
    found = tx.scalar(
        select(tickers.c.id)
        .where(tickers.c.running_on.is_not(None), tickers.c.cron_ticker_id == run.cron_ticker_id, is_elder)
        .limit(1)
    )
    return found is not None


def _take(tx: Transaction, run: Started) -> bool:
    mine = update(tickers).where(is_running(run.id, run.claim_no)).values(alone_for=run.cron_ticker_id)
    try:
        with savepoint(tx):
            return rowcount(tx, mine) == 1
    except IntegrityError:
        return False
