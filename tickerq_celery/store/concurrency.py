"""Active runs by function, concurrency key and queue, and the holds that free slots release."""

from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select, update

from tickerq_celery.enums import HoldReason, TickerKind, TickerStatus
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.holds import held_keys, release
from tickerq_celery.store.tables import tickers
from tickerq_celery.tickers.claims import Slot

_QUEUE_PREFIX = "queue:"


def active_per_slot(tx: Transaction, slots: Collection[Slot]) -> dict[Slot, int]:
    """Return how many runs of each slot are Queued or InProgress."""
    counts = dict.fromkeys(slots, 0)
    names, keys = {slot.function for slot in slots}, {slot.key for slot in slots}
    for column in (tickers.c.check_at, tickers.c.running_on):
        rows = tx.execute(
            select(tickers.c.function, tickers.c.concurrency_key, func.count())
            .where(
                column.is_not(None),
                tickers.c.namespace == tx.namespace,
                tickers.c.function.in_(names),
                tickers.c.concurrency_key.in_(keys),
            )
            .group_by(tickers.c.function, tickers.c.concurrency_key)
        )
        for name, key, count in rows:
            # Functions may share keys: some pairs were not asked for.
            if Slot(name, key) in counts:
                counts[Slot(name, key)] += count
    return counts


def release_slots(tx: Transaction, room: Mapping[Slot, int]) -> int:
    """Make as many waiting runs of each slot due as it has room for; return how many.

    The most urgent first, then the oldest. The statements are as many as there are different rooms.
    """
    released = 0
    for slots in sorted(set(room.values())):
        if slots > 0:
            keys = [slot.hold_key for slot, free in room.items() if free == slots]
            released += _release_each(tx, keys, slots)
    return released


def _release_each(tx: Transaction, keys: Collection[str], slots: int) -> int:
    held = (
        tickers.c.held_for == HoldReason.KEY.value,
        tickers.c.hold_key.in_(list(keys)),
        tickers.c.namespace == tx.namespace,
    )
    position = func.row_number().over(
        partition_by=tickers.c.hold_key, order_by=(tickers.c.priority, tickers.c.id)
    )
    line = select(tickers.c.id, position.label("position")).where(*held).subquery()
    first = tx.scalars(select(line.c.id).where(line.c.position <= slots)).all()
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
            .values(due_at=tx.sql_now(), held_for=None, hold_key=None)
        )
    return len(free)


def queued_per_queue(tx: Transaction, queues: Collection[str | None]) -> dict[str | None, int]:
    """Return how many runs of each of ``queues`` are published and not started."""
    return {row.name: row.number for row in tx.execute(queued(tx.namespace, queues))}


def queued(namespace: str, queues: Collection[str | None]) -> Select[str | None, int]:
    """Return the query for how many runs of each of ``queues`` are published and not started."""
    wanted: ColumnElement[bool] = tickers.c.queue.in_([queue for queue in queues if queue is not None])
    if None in queues:
        wanted |= tickers.c.queue.is_(None)
    return (
        select(tickers.c.queue.label("name"), func.count().label("number"))
        .where(
            tickers.c.check_at.is_not(None),
            # A published call may wait for a retry of Celery's, far from any queue.
            tickers.c.kind == TickerKind.FUNCTION.value,
            tickers.c.namespace == namespace,
            wanted,
        )
        .group_by(tickers.c.queue)
    )


def active_per_function(tx: Transaction, names: Collection[str]) -> dict[str, int]:
    """Return how many runs of each function are Queued or InProgress."""
    counts = dict.fromkeys(names, 0)
    for column in (tickers.c.check_at, tickers.c.running_on):
        rows = tx.execute(
            select(tickers.c.function, func.count())
            .where(
                column.is_not(None),
                tickers.c.namespace == tx.namespace,
                # A Celery task may have the name of a function.
                tickers.c.kind == TickerKind.FUNCTION.value,
                tickers.c.function.in_(list(names)),
            )
            .group_by(tickers.c.function)
        )
        for name, count in rows:
            counts[name] += count
    return counts


def queue_key(queue: str | None) -> str:
    """Return the key under which runs are held while their queue is full."""
    return f"{_QUEUE_PREFIX}{queue or ''}"


def release_full_queues(tx: Transaction, *, most: int) -> int:
    """Make runs due that were held for a full queue, as many as now fit; return how many."""
    keys = [key for key in held_keys(tx, HoldReason.LIMIT) if key.startswith(_QUEUE_PREFIX)]
    if not keys:
        return 0
    queues = {key: key.removeprefix(_QUEUE_PREFIX) or None for key in keys}
    counts = queued_per_queue(tx, queues.values())
    released = 0
    for key, queue in queues.items():
        room = max(0, most - counts.get(queue, 0))
        released += len(release(tx, reason=HoldReason.LIMIT, keys=[key], limit=room))
    return released
