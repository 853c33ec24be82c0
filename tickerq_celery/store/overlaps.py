"""The one place that a cron ticker's occurrences have where they may not overlap: its active key."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, and_, case, func, select, update

from tickerq_celery.clock import Clock
from tickerq_celery.enums import HoldReason, TickerStatus
from tickerq_celery.models import tickers
from tickerq_celery.sqltypes import sql_now
from tickerq_celery.store import chains
from tickerq_celery.store.claims import STARTED, Started, rowcount, started
from tickerq_celery.store.tickers import active_id

# Who has this key is the one occurrence that may run: the unique constraint lets there be no second.
_KEY = "cron:{}"


def key_of(cron_id: UUID) -> str:
    """Return the active key of the one occurrence of a cron ticker that may run."""
    return _KEY.format(cron_id)


def is_taken(connection: Connection, namespace: str, cron_id: UUID) -> bool:
    """Whether an occurrence of a cron ticker may run, or runs."""
    return active_id(connection, namespace, key_of(cron_id)) is not None


def waiting(connection: Connection, cron_id: UUID) -> int:
    """Return how many occurrences of a cron ticker wait for their turn."""
    return connection.scalar(select(func.count()).select_from(tickers).where(*_waits(cron_id))) or 0


def cron_in_turn(connection: Connection, ticker_id: UUID) -> UUID | None:
    """Return the cron ticker whose place a run has, or None where it has none."""
    row = connection.execute(
        select(tickers.c.cron_ticker_id, tickers.c.active_key).where(tickers.c.id == ticker_id)
    ).one_or_none()
    if row is None or row.cron_ticker_id is None or row.active_key != key_of(row.cron_ticker_id):
        return None
    cron_id: UUID = row.cron_ticker_id
    return cron_id


def is_waited_for_by_hand(connection: Connection, cron_id: UUID) -> bool:
    """Whether an occurrence that was asked for by hand waits for its turn."""
    statement = select(tickers.c.id).where(*_waits(cron_id), tickers.c.instant.is_(None)).limit(1)
    return connection.scalar(statement) is not None


def step_back(connection: Connection, namespace: str, cron_id: UUID) -> None:
    """Let an occurrence that a pause holds wait for another turn, so that its place is free."""
    holder = connection.scalar(
        select(tickers.c.id)
        .where(
            _has_place(namespace, cron_id),
            tickers.c.instant.is_not(None),
            tickers.c.status == TickerStatus.IDLE,
            tickers.c.held_for == HoldReason.PAUSED.value,
        )
        .with_for_update(skip_locked=True)
    )
    if holder is not None:
        connection.execute(
            update(tickers)
            .where(tickers.c.id == holder, tickers.c.status == TickerStatus.IDLE)
            .values(active_key=None, held_for=HoldReason.OVERLAP.value, hold_key=str(cron_id))
        )


def pass_on(connection: Connection, clock: Clock, cron_id: UUID) -> list[UUID]:
    """Give the place to the next occurrence that waits for it, if one does, and return it.

    One that was asked for by hand goes first, as it also runs in a pause, then the oldest.

    Only for who has just freed the place in this transaction, or holds the cron ticker's lock and found it
    free: two that gave it away at once would be refused by the unique constraint.
    """
    following = connection.scalar(
        select(tickers.c.id)
        .where(*_waits(cron_id))
        .order_by(tickers.c.instant.is_not(None), tickers.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if following is None:
        return []
    statement = (
        update(tickers)
        .where(tickers.c.id == following, tickers.c.status == TickerStatus.IDLE)
        .values(active_key=key_of(cron_id), due_at=_at_its_time(clock), held_for=None, hold_key=None)
    )
    return [following] if rowcount(connection, statement) == 1 else []


def let_wait(connection: Connection, cron_id: UUID, run_id: UUID) -> None:
    """Hold an occurrence that is due until it has its turn."""
    connection.execute(
        update(tickers)
        .where(tickers.c.id == run_id, tickers.c.status == TickerStatus.IDLE)
        .values(due_at=None, held_for=HoldReason.OVERLAP.value, hold_key=str(cron_id))
    )


def let_take(connection: Connection, cron_id: UUID, run_id: UUID) -> None:
    """Give the place, which is free, to an occurrence that is due."""
    connection.execute(
        update(tickers)
        .where(tickers.c.id == run_id, tickers.c.status == TickerStatus.IDLE)
        .values(active_key=key_of(cron_id))
    )


def let_all_run(connection: Connection, clock: Clock, cron_id: UUID) -> None:
    """Make all occurrences due that wait for their turn, as they may overlap from now on."""
    connection.execute(
        update(tickers)
        .where(*_waits(cron_id))
        .values(due_at=_at_its_time(clock), held_for=None, hold_key=None)
    )


def lock_unstarted(connection: Connection, namespace: str, cron_id: UUID) -> list[UUID]:
    """Lock the occurrences of a cron ticker's instants that wait, for their turn or for a worker.

    Those that another transaction has locked are passed over, or what is below them: one may be starting.
    """
    # Two looks, by an index each: a long history is not read.
    found = [
        row
        for those in (_has_place(namespace, cron_id), and_(*_waits(cron_id)))
        for row in connection.execute(
            select(tickers.c.id, tickers.c.has_children)
            .where(
                those,
                tickers.c.instant.is_not(None),
                tickers.c.status.in_([TickerStatus.IDLE, TickerStatus.QUEUED]),
            )
            .with_for_update(skip_locked=True)
        )
    ]
    free = chains.lock_waiting(connection, [row.id for row in found if row.has_children])
    return [row.id for row in found if not row.has_children or row.id in free]


def lock_running(connection: Connection, namespace: str, cron_id: UUID) -> Started | None:
    """Lock the occurrence of a cron ticker's instant that runs, unless another transaction has it locked."""
    row: Any = connection.execute(
        select(*STARTED)
        .where(
            _has_place(namespace, cron_id),
            tickers.c.instant.is_not(None),
            tickers.c.status == TickerStatus.IN_PROGRESS,
        )
        .with_for_update(skip_locked=True)
    ).one_or_none()
    return None if row is None else started(row)


def _at_its_time(clock: Clock) -> ColumnElement[datetime]:
    """Now, unless its cron ticker's jitter wants it later."""
    now, own_time = sql_now(clock), tickers.c.execution_time
    return case((own_time > now, own_time), else_=now)


def _has_place(namespace: str, cron_id: UUID) -> ColumnElement[bool]:
    return and_(tickers.c.namespace == namespace, tickers.c.active_key == key_of(cron_id))


def _waits(cron_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return (tickers.c.held_for == HoldReason.OVERLAP.value, tickers.c.hold_key == str(cron_id))
