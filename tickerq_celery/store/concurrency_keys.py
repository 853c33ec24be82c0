"""Concurrency keys: how many runs of one function with one key are under way, and which wait."""

from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy import Connection, func, select, update

from tickerq_celery.clock import Clock
from tickerq_celery.enums import HoldReason, TickerStatus
from tickerq_celery.models import tickers
from tickerq_celery.slot import Slot
from tickerq_celery.sqltypes import sql_now


def active_per_slot(connection: Connection, namespace: str, slots: Collection[Slot]) -> dict[Slot, int]:
    """Return how many runs of each slot are Queued or InProgress."""
    counts = dict.fromkeys(slots, 0)
    names, keys = {slot.function for slot in slots}, {slot.key for slot in slots}
    for column in (tickers.c.check_at, tickers.c.running_on):
        rows = connection.execute(
            select(tickers.c.function, tickers.c.concurrency_key, func.count())
            .where(
                column.is_not(None),
                tickers.c.namespace == namespace,
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


def lift(connection: Connection, clock: Clock, namespace: str, room: Mapping[Slot, int]) -> int:
    """Make as many waiting runs of each slot due as it has room for; return how many.

    The most urgent first, then the oldest. The statements are as many as there are different rooms.
    """
    lifted = 0
    for places in sorted(set(room.values())):
        if places > 0:
            keys = [slot.hold_key for slot, free in room.items() if free == places]
            lifted += _lift_each(connection, clock, namespace, keys, places)
    return lifted


def _lift_each(
    connection: Connection, clock: Clock, namespace: str, keys: Collection[str], places: int
) -> int:
    held = (
        tickers.c.held_for == HoldReason.KEY.value,
        tickers.c.hold_key.in_(list(keys)),
        tickers.c.namespace == namespace,
    )
    place = func.row_number().over(
        partition_by=tickers.c.hold_key, order_by=(tickers.c.priority, tickers.c.id)
    )
    line = select(tickers.c.id, place.label("place")).where(*held).subquery()
    first = connection.scalars(select(line.c.id).where(line.c.place <= places)).all()
    # Read again with the lock: window functions and FOR UPDATE do not go together.
    free: list[UUID] = list(
        connection.scalars(
            select(tickers.c.id).where(tickers.c.id.in_(first), *held).with_for_update(skip_locked=True)
        )
    )
    if free:
        connection.execute(
            update(tickers)
            .where(tickers.c.id.in_(free), tickers.c.status == TickerStatus.IDLE)
            .values(due_at=sql_now(clock), held_for=None, hold_key=None)
        )
    return len(free)
