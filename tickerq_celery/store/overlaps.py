"""The one place that a cron ticker's occurrences have where they may not overlap: its active key."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, select, true, update

from tickerq_celery.clock import Clock
from tickerq_celery.enums import HoldReason, TickerStatus
from tickerq_celery.store import chains
from tickerq_celery.store.attempts import STARTED, lock_free, started
from tickerq_celery.store.database.transaction import Transaction, rowcount
from tickerq_celery.store.runs import active_id
from tickerq_celery.store.tables import tickers
from tickerq_celery.store.tables.column_types import sql_now
from tickerq_celery.tickers.claims import Started

# Who has this key is the one occurrence that may run: the unique constraint lets there be no second.
_KEY = "cron:{}"
# How many of those that wait are looked at for one that nobody else has locked.
_LOOKED_AT = 10


def key_of(cron_id: UUID) -> str:
    """Return the active key of the one occurrence of a cron ticker that may run."""
    return _KEY.format(cron_id)


def is_taken(tx: Transaction, cron_id: UUID) -> bool:
    """Whether an occurrence of a cron ticker may run, or runs."""
    return active_id(tx, key_of(cron_id)) is not None


def is_waited_for(tx: Transaction, cron_id: UUID, *, by_hand: bool = False) -> bool:
    """Whether an occurrence of a cron ticker waits for its turn, maybe one that was asked for by hand."""
    which = tickers.c.instant.is_(None) if by_hand else true()
    return tx.scalar(select(tickers.c.id).where(*_waits(cron_id), which).limit(1)) is not None


def cron_in_turn(tx: Transaction, ticker_id: UUID) -> UUID | None:
    """Return the cron ticker whose place a run has, or None where it has none."""
    row = tx.execute(
        select(tickers.c.cron_ticker_id, tickers.c.active_key).where(tickers.c.id == ticker_id)
    ).one_or_none()
    if row is None or row.cron_ticker_id is None or row.active_key != key_of(row.cron_ticker_id):
        return None
    cron_id: UUID = row.cron_ticker_id
    return cron_id


def step_back(tx: Transaction, cron_id: UUID, *, in_pause: bool) -> bool:
    """Let an occurrence that a pause holds wait for another turn; say whether its place is free by that.

    ``in_pause`` says that a pause would hold one that is due later, too.
    """
    held = tickers.c.held_for == HoldReason.PAUSED.value
    holder = tx.scalar(
        select(tickers.c.id)
        .where(
            _has_place(tx.namespace, cron_id),
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
        .ordered_values(("active_key", None), *_waiting_for(cron_id))
    )
    return rowcount(tx, statement) == 1


def pass_on(tx: Transaction, cron_id: UUID) -> list[UUID]:
    """Give the place to the next occurrence that waits for it, if one does, and return it.

    One that was asked for by hand goes first, as it also runs in a pause, then the oldest.

    Only for who has just freed the place in this transaction, or holds the cron ticker's lock and found it
    free: two that gave it away at once would be refused by the unique constraint.
    """
    for which in (tickers.c.instant.is_(None), true()):
        for each in _line(tx, cron_id, which):
            if lock_free(tx, [each]) and _let_run(tx, cron_id, each):
                return [each]
    return []


def _line(tx: Transaction, cron_id: UUID, which: ColumnElement[bool]) -> Sequence[UUID]:
    """Return the first of those that wait, in the order of the index."""
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
        .ordered_values(("active_key", key_of(cron_id)), *_in_turn(tx.clock))
    )
    return rowcount(tx, statement) == 1


def let_wait(tx: Transaction, cron_id: UUID, run_id: UUID) -> None:
    """Hold an occurrence that is due until it has its turn."""
    tx.execute(
        update(tickers)
        .where(tickers.c.id == run_id, tickers.c.status == TickerStatus.IDLE)
        .ordered_values(*_waiting_for(cron_id))
    )


def let_take(tx: Transaction, cron_id: UUID, run_id: UUID) -> None:
    """Give the place, which is free, to an occurrence that is due."""
    tx.execute(
        update(tickers)
        .where(tickers.c.id == run_id, tickers.c.status == TickerStatus.IDLE)
        .values(active_key=key_of(cron_id))
    )


def let_all_run(tx: Transaction, cron_id: UUID) -> None:
    """Make all occurrences due that wait for their turn, as they may overlap from now on."""
    tx.execute(update(tickers).where(*_waits(cron_id)).ordered_values(*_in_turn(tx.clock)))


def lock_unstarted(tx: Transaction, cron_id: UUID) -> list[UUID]:
    """Lock the occurrences of a cron ticker's instants that wait, for their turn or for a worker.

    Those that another transaction has locked are passed over, or what is below them: one may be starting.
    """
    # Two looks, by an index each: a long history is not read.
    found = [
        row
        for those in (_has_place(tx.namespace, cron_id), and_(*_waits(cron_id)))
        for row in tx.execute(
            select(tickers.c.id, tickers.c.has_children)
            .where(
                those,
                tickers.c.instant.is_not(None),
                tickers.c.status.in_([TickerStatus.IDLE, TickerStatus.QUEUED]),
            )
            .with_for_update(skip_locked=True)
        )
    ]
    free = chains.lock_waiting(tx, [row.id for row in found if row.has_children])
    return [row.id for row in found if not row.has_children or row.id in free]


def lock_running(tx: Transaction, cron_id: UUID) -> Started | None:
    """Lock the occurrence of a cron ticker's instant that runs, unless another transaction has it locked."""
    row: Any = tx.execute(
        select(*STARTED)
        .where(
            _has_place(tx.namespace, cron_id),
            tickers.c.instant.is_not(None),
            tickers.c.status == TickerStatus.IN_PROGRESS,
        )
        .with_for_update(skip_locked=True)
    ).one_or_none()
    return None if row is None else started(row)


# Assignments in their order: MariaDB has each of them read what the ones before it wrote.
def _waiting_for(cron_id: UUID) -> list[tuple[str, Any]]:
    return [
        ("not_before", tickers.c.due_at),
        ("due_at", None),
        ("held_for", HoldReason.OVERLAP.value),
        ("hold_key", str(cron_id)),
    ]


def _in_turn(clock: Clock) -> list[tuple[str, Any]]:
    """Due now, unless it was planned for later: by a jitter, a backfill's rate or a retry."""
    now, own_time = sql_now(clock), tickers.c.not_before
    return [
        ("due_at", case((own_time > now, own_time), else_=now)),
        ("not_before", None),
        ("held_for", None),
        ("hold_key", None),
    ]


def _has_place(namespace: str, cron_id: UUID) -> ColumnElement[bool]:
    return and_(tickers.c.namespace == namespace, tickers.c.active_key == key_of(cron_id))


def _waits(cron_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return (tickers.c.held_for == HoldReason.OVERLAP.value, tickers.c.hold_key == str(cron_id))
