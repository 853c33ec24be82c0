"""Active runs by function, concurrency key and queue, and the holds that free slots release."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, case, func, select, update

from tickerq_celery.enums import HoldReason, TickerKind, TickerStatus
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.reading import active_runs
from tickerq_celery.store.runs.holds import UNHELD, held_keys, release
from tickerq_celery.store.tables import tickers
from tickerq_celery.tickers.claims import Slot
from tickerq_celery.tickers.flows import FunctionQueue

_QUEUE_PREFIX = "queue:"
# As an expression: for the order of its index SQLite would read all runs of all functions.
_FUNCTION = func.coalesce(tickers.c.function, "")


def active_per_slot(tx: Transaction, slots: Collection[Slot]) -> dict[Slot, int]:
    """Return how many runs of each slot are Queued or InProgress."""
    counts = dict.fromkeys(slots, 0)
    names, keys = {slot.function for slot in slots}, {slot.key for slot in slots}
    own = active_runs.own(tx, tickers.c.function.in_(names), tickers.c.concurrency_key.in_(keys))
    for is_active in (active_runs.IS_QUEUED, active_runs.IS_RUNNING):
        rows = tx.execute(
            select(_FUNCTION, tickers.c.concurrency_key, func.count())
            .where(is_active, own)
            .group_by(_FUNCTION, tickers.c.concurrency_key)
        )
        for name, key, count in rows:
            # Functions may share keys: some pairs were not asked for.
            if Slot(name, key) in counts:
                counts[Slot(name, key)] += count
    return counts


def release_slots(tx: Transaction, free: Mapping[Slot, int]) -> int:
    """Make as many waiting runs of each key due as it has free slots; return how many.

    The most urgent first, then the oldest, with one statement for each different number of free slots.
    """
    released = 0
    for slots in sorted(set(free.values())):
        if slots > 0:
            keys = [slot.hold_key for slot, number in free.items() if number == slots]
            released += _release_each(tx, keys, slots)
    return released


def _release_each(tx: Transaction, keys: Collection[str], slots: int) -> int:
    held = (
        tickers.c.held_for == HoldReason.KEY.value,
        tickers.c.hold_key.in_(list(keys)),
        active_runs.own(tx),
    )
    position = func.row_number().over(
        partition_by=tickers.c.hold_key, order_by=(tickers.c.priority, tickers.c.id)
    )
    queue = select(tickers.c.id, position.label("position")).where(*held).subquery()
    first = tx.scalars(select(queue.c.id).where(queue.c.position <= slots)).all()
    # Read again with the lock: window functions and FOR UPDATE do not go together.
    free: list[UUID] = list(
        tx.scalars(
            select(tickers.c.id).where(tickers.c.id.in_(first), *held).with_for_update(skip_locked=True)
        )
    )
    if free:
        tx.execute(
            update(tickers)
            .where(tickers.c.id.in_(free), tickers.c.status == TickerStatus.IDLE)
            .values(due_at=tx.sql_now(), **UNHELD)
        )
    return len(free)


def queued_per_queue(tx: Transaction, queues: Collection[str | None]) -> dict[str | None, int]:
    """Return how many runs of each of ``queues`` are published and not started."""
    return by_queue(tx.execute(queued(tx, queues, lease=timedelta(0))))


def by_queue(rows: Iterable[Row[Any]]) -> dict[str | None, int]:
    """Return how many runs are published in each queue, by rows of the query ``queued``."""
    counts: Counter[str | None] = Counter()
    for row in rows:
        counts[row.name] += row.number
    return dict(counts)


def ahead(tx: Transaction, queues: Collection[str | None], *, lease: timedelta) -> dict[FunctionQueue, int]:
    """Return how many runs of each function in ``queues`` were claimed within a lease, and not started.

    The message of one that was claimed before may be lost.
    """
    rows = tx.execute(queued(tx, queues, lease=lease))
    return {FunctionQueue(row.function, row.name): int(row.fresh) for row in rows}


def queued(
    tx: Transaction, queues: Collection[str | None], *, lease: timedelta
) -> Select[str | None, int, str, int]:
    """Return the query for how many runs of each function in ``queues`` are published and not started.

    With how many of them were claimed within a ``lease``: these are ``fresh``.
    """
    wanted: ColumnElement[bool] = tickers.c.queue.in_([queue for queue in queues if queue is not None])
    if None in queues:
        wanted |= tickers.c.queue.is_(None)
    return (
        select(
            tickers.c.queue.label("name"),
            func.count().label("number"),
            _FUNCTION.label("function"),
            func.sum(case((tickers.c.locked_at > tx.sql_after(-lease), 1), else_=0)).label("fresh"),
        )
        # A published call may wait for a retry of Celery's, far from any queue.
        .where(
            active_runs.IS_QUEUED,
            active_runs.own(tx, tickers.c.kind == TickerKind.FUNCTION.value, wanted),
        )
        .group_by(tickers.c.queue, _FUNCTION)
    )


def active_per_function(tx: Transaction, names: Collection[str]) -> dict[str, int]:
    """Return how many runs of each function are Queued or InProgress."""
    counts = dict.fromkeys(names, 0)
    # A Celery task may have the name of a function.
    is_function = tickers.c.kind == TickerKind.FUNCTION.value
    own = active_runs.own(tx, is_function, tickers.c.function.in_(list(names)))
    for is_active in (active_runs.IS_QUEUED, active_runs.IS_RUNNING):
        rows = tx.execute(select(_FUNCTION, func.count()).where(is_active, own).group_by(_FUNCTION))
        for name, count in rows:
            counts[name] += count
    return counts


def queue_key(queue: str | None) -> str:
    """Return the key under which runs are held while their queue is full."""
    return f"{_QUEUE_PREFIX}{queue or ''}"


def release_full_queues(tx: Transaction, *, most: int, limit: int) -> int:
    """Make runs due that were held for a full queue, as many as now fit and up to ``limit`` of each.

    Returns how many they are.
    """
    keys = [key for key in held_keys(tx, HoldReason.LIMIT) if key.startswith(_QUEUE_PREFIX)]
    if not keys:
        return 0
    queues = {key: key.removeprefix(_QUEUE_PREFIX) or None for key in keys}
    counts = queued_per_queue(tx, queues.values())
    released = 0
    for key, queue in queues.items():
        free = max(0, min(most - counts.get(queue, 0), limit))
        released += len(release(tx, reason=HoldReason.LIMIT, keys=[key], limit=free))
    return released
