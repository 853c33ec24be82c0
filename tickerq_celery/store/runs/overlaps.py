"""The overlap lock of a cron ticker, which is the active key of one occurrence, and its wait queue."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, literal, select, true, union_all, update

from tickerq_celery.clock import Clock
from tickerq_celery.enums import UNSTARTED, HoldReason, TickerStatus
from tickerq_celery.store.database.transaction import Transaction, rowcount
from tickerq_celery.store.runs import chains
from tickerq_celery.store.runs.holds import UNHELD
from tickerq_celery.store.runs.starts import STARTED, Locked, lock_free, locked_row, started
from tickerq_celery.store.tables import tickers
from tickerq_celery.store.tables.column_types import sql_now
from tickerq_celery.tickers.claims import Started

# The occurrence with this key is the only one that may run: the unique constraint lets there be no second.
_KEY = "cron:{}"
# How many of those that wait are looked at for one that no other transaction has locked.
_LOOKED_AT = 10
_HOLDS, _WAITS, _WAITS_MANUALLY = range(3)
# Whether there is a second one behind the first is all that is asked of the wait queue.
_COUNTED = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class OverlapState:
    """The overlap lock of a cron ticker and its wait queue, at one moment.

    ``waiting`` is how many wait, 2 standing for any more. The holder ``is_unclaimed`` where it is an Idle
    occurrence of an instant, not a manual run.
    """

    is_locked: bool = False
    is_unclaimed: bool = False
    is_held_by_pause: bool = False
    waiting: int = 0
    is_manual_waiting: bool = False


def key_of(cron_id: UUID) -> str:
    """Return the active key of the one occurrence of a cron ticker that may run."""
    return _KEY.format(cron_id)


def state(tx: Transaction, cron_id: UUID) -> OverlapState:
    """Return who holds the overlap lock of a cron ticker, and who waits for it."""
    rows = tx.execute(
        union_all(
            _part(_HOLDS, _holds_lock(tx.namespace, cron_id), limit=1),
            _part(_WAITS, *_waits(cron_id), limit=_COUNTED),
            _part(_WAITS_MANUALLY, *_waits(cron_id), tickers.c.instant.is_(None), limit=1),
        )
    ).all()
    roles = [row.role for row in rows]
    holder = next((row for row in rows if row.role == _HOLDS), None)
    return OverlapState(
        is_locked=holder is not None,
        is_unclaimed=holder is not None and holder.status is TickerStatus.IDLE and holder.instant is not None,
        is_held_by_pause=holder is not None and holder.held_for == HoldReason.PAUSED,
        waiting=roles.count(_WAITS),
        is_manual_waiting=_WAITS_MANUALLY in roles,
    )


def _part(role: int, *which: ColumnElement[bool], limit: int) -> Select[Any]:
    columns = (literal(role).label("role"), tickers.c.status, tickers.c.instant, tickers.c.held_for)
    # SQLite takes no LIMIT in a part of a union but within a subquery.
    return select(select(*columns).where(*which).limit(limit).subquery())


def cron_locked_by(tx: Transaction, ticker_id: UUID) -> UUID | None:
    """Return the cron ticker whose overlap lock a run holds, or None where it holds none."""
    row = tx.execute(
        select(tickers.c.cron_ticker_id, tickers.c.active_key).where(tickers.c.id == ticker_id)
    ).one_or_none()
    if row is None or row.cron_ticker_id is None or row.active_key != key_of(row.cron_ticker_id):
        return None
    cron_id: UUID = row.cron_ticker_id
    return cron_id


def yield_lock(tx: Transaction, cron_id: UUID, *, in_pause: bool) -> bool:
    """Put an occurrence that a pause holds back into the wait queue; return True if the lock is free by that.

    ``in_pause`` says that a pause would hold one that is due later, too.
    """
    held = tickers.c.held_for == HoldReason.PAUSED.value
    holder = tx.scalar(
        select(tickers.c.id)
        .where(
            _holds_lock(tx.namespace, cron_id),
            tickers.c.instant.is_not(None),
            tickers.c.status == TickerStatus.IDLE,
            true() if in_pause else held,
        )
        .with_for_update(skip_locked=True)
    )
    if holder is None:
        return False
    statement = (
        update(tickers)
        .where(tickers.c.id == holder, tickers.c.status == TickerStatus.IDLE)
        .ordered_values(("active_key", None), *_queued(tx.clock, cron_id))
    )
    return rowcount(tx, statement) == 1


def pass_lock(tx: Transaction, cron_id: UUID) -> list[UUID]:
    """Pass the overlap lock to the next occurrence that waits for it, if one does, and return it.

    A manual run goes first, as it also runs in a pause, then the oldest.

    Only for a transaction that has just freed the lock, or has the cron ticker's row locked and found it
    free: two that passed it on at once would be refused by the unique constraint.
    """
    for which in (tickers.c.instant.is_(None), true()):
        for each in _queue(tx, cron_id, which):
            if lock_free(tx, [each]) and _let_run(tx, cron_id, each):
                return [each]
    return []


def _queue(tx: Transaction, cron_id: UUID, which: ColumnElement[bool]) -> Sequence[UUID]:
    """Return the first of the wait queue, in the order of the index."""
    # To be locked one by one, by their ids: MariaDB locks all that a search passes, which is all that wait.
    return tx.scalars(
        select(tickers.c.id)
        .where(*_waits(cron_id), which)
        .order_by(tickers.c.priority, tickers.c.id)
        .limit(_LOOKED_AT)
    ).all()


def _let_run(tx: Transaction, cron_id: UUID, run_id: UUID) -> bool:
    statement = (
        update(tickers)
        .where(tickers.c.id == run_id, tickers.c.status == TickerStatus.IDLE, *_waits(cron_id))
        .ordered_values(("active_key", key_of(cron_id)), *_released(tx.clock))
    )
    return rowcount(tx, statement) == 1


def enqueue(tx: Transaction, cron_id: UUID, run_id: UUID) -> None:
    """Put an occurrence that is due into the wait queue."""
    tx.execute(
        update(tickers)
        .where(tickers.c.id == run_id, tickers.c.status == TickerStatus.IDLE)
        .ordered_values(*_queued(tx.clock, cron_id))
    )


def take_lock(tx: Transaction, cron_id: UUID, run_id: UUID) -> None:
    """Give the overlap lock, which is free, to an occurrence that is due."""
    tx.execute(
        update(tickers)
        .where(tickers.c.id == run_id, tickers.c.status == TickerStatus.IDLE)
        .values(active_key=key_of(cron_id))
    )


def release_all(tx: Transaction, cron_id: UUID) -> None:
    """Make all of the wait queue due, as they may overlap from now on."""
    tx.execute(update(tickers).where(*_waits(cron_id)).ordered_values(*_released(tx.clock)))


def lock_unstarted(tx: Transaction, cron_id: UUID) -> list[Locked]:
    """Lock the occurrences of a cron ticker's instants that wait, for the overlap lock or for a worker.

    Those that another transaction has locked are passed over, or what is below them: one may be starting.
    """
    # Two looks, by an index each: a long history is not read.
    found: list[Any] = [
        row
        for those in (_holds_lock(tx.namespace, cron_id), and_(*_waits(cron_id)))
        for row in tx.execute(
            select(*STARTED, tickers.c.status)
            .where(
                those,
                tickers.c.instant.is_not(None),
                tickers.c.status.in_(UNSTARTED),
            )
            .with_for_update(skip_locked=True)
        )
    ]
    free = chains.lock_waiting(tx, [row.id for row in found if row.has_children])
    return [locked_row(row) for row in found if not row.has_children or row.id in free]


def lock_running(tx: Transaction, cron_id: UUID) -> Started | None:
    """Lock the occurrence of a cron ticker's instant that runs, unless another transaction has it locked."""
    row: Any = tx.execute(
        select(*STARTED)
        .where(
            _holds_lock(tx.namespace, cron_id),
            tickers.c.instant.is_not(None),
            tickers.c.status == TickerStatus.IN_PROGRESS,
        )
        .with_for_update(skip_locked=True)
    ).one_or_none()
    return None if row is None else started(row)


# Assignments in their order: MariaDB has each of them read what the ones before it wrote.
def _queued(clock: Clock, cron_id: UUID) -> list[tuple[str, Any]]:
    return [
        ("not_before", tickers.c.due_at),
        ("due_at", None),
        ("held_for", HoldReason.OVERLAP.value),
        ("hold_key", str(cron_id)),
        ("held_since", sql_now(clock)),
    ]


def _released(clock: Clock) -> list[tuple[str, Any]]:
    """Due now, unless it was planned for later: by a jitter, a backfill's rate or a retry."""
    now, own_time = sql_now(clock), tickers.c.not_before
    return [
        ("due_at", case((own_time > now, own_time), else_=now)),
        ("not_before", None),
        *UNHELD.items(),
    ]


def _holds_lock(namespace: str, cron_id: UUID) -> ColumnElement[bool]:
    return and_(tickers.c.namespace == namespace, tickers.c.active_key == key_of(cron_id))


def _waits(cron_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return (tickers.c.held_for == HoldReason.OVERLAP.value, tickers.c.hold_key == str(cron_id))
