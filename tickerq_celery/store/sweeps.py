"""What the sweep reads and writes: lost messages, dead workers, holds whose cause is gone."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, case, exists, func, select, update

from tickerq_celery.clock import Clock
from tickerq_celery.enums import HoldReason, TickerPriority, TickerStatus
from tickerq_celery.models import nodes, tickers
from tickerq_celery.sqltypes import sql_after, sql_now
from tickerq_celery.store.calls import CALL, call_from
from tickerq_celery.store.claims import Claim
from tickerq_celery.store.holds import lift
from tickerq_celery.store.nodes import Node
from tickerq_celery.timeouts import Timeouts

_QUEUE_PREFIX = "queue:"
# Twice the delay for each further publication, up to a thousandfold.
_MOST_DOUBLINGS = 10


def take_over(
    connection: Connection, clock: Clock, *, namespace: str, limit: int, check_after: timedelta
) -> list[Claim]:
    """Take up to ``limit`` Queued runs whose message seems lost, so that they are published again.

    Their claim stays the same; the next check comes after twice the time.
    """
    rows = connection.execute(
        select(
            tickers.c.id,
            tickers.c.claim_no,
            tickers.c.function,
            tickers.c.queue,
            tickers.c.priority,
            tickers.c.timeout,
            tickers.c.hard_timeout,
            tickers.c.publish_count,
            *CALL,
        )
        .where(tickers.c.check_at <= sql_now(clock), tickers.c.namespace == namespace)
        .order_by(tickers.c.check_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    if not rows:
        return []
    connection.execute(
        update(tickers)
        .where(tickers.c.id.in_([row.id for row in rows]), tickers.c.status == TickerStatus.QUEUED)
        .values(check_at=_next_check(clock, check_after))
    )
    return [
        Claim(
            id=row.id,
            number=row.claim_no,
            function=row.function,
            queue=row.queue,
            priority=TickerPriority(row.priority),
            timeouts=Timeouts(soft=row.timeout, hard=row.hard_timeout),
            publish_count=row.publish_count,
            call=call_from(row),
        )
        for row in rows
    ]


def check_prefetched(connection: Connection, clock: Clock, node: Node, *, lease: timedelta) -> int:
    """Let the sweep publish again what a dead worker may have prefetched; return how many runs.

    Redis hides prefetched messages for an hour: the oldest Queued runs of the worker's queues that were
    published before its death, at most its prefetch window. It died within one lease of its last sign
    of life.
    """
    if not node.queues:
        return 0
    ids = connection.scalars(
        select(tickers.c.id)
        .where(
            tickers.c.check_at.is_not(None),
            tickers.c.namespace == node.namespace,
            tickers.c.published_at <= node.seen_at + lease,
            # Celery routed a run that names no queue, maybe to one of these: a second message is harmless.
            tickers.c.queue.in_(node.queues) | tickers.c.queue.is_(None),
        )
        .order_by(tickers.c.published_at)
        .limit(node.prefetch or 0)
        .with_for_update(skip_locked=True)
    ).all()
    if ids:
        connection.execute(
            update(tickers)
            .where(tickers.c.id.in_(ids), tickers.c.status == TickerStatus.QUEUED)
            .values(check_at=sql_now(clock))
        )
    return len(ids)


def nodes_without_row(connection: Connection, namespace: str) -> list[UUID]:
    """Return the nodes under which runs are InProgress although they have no row."""
    statement = (
        select(tickers.c.running_on)
        .where(
            tickers.c.running_on.is_not(None),
            tickers.c.namespace == namespace,
            ~exists().where(nodes.c.id == tickers.c.running_on),
        )
        .distinct()
    )
    return [node_id for node_id in connection.scalars(statement) if node_id is not None]


def queued_per_queue(
    connection: Connection, namespace: str, queues: Collection[str | None]
) -> dict[str | None, int]:
    """Return how many runs of each of ``queues`` are published and not started."""
    wanted: ColumnElement[bool] = tickers.c.queue.in_([queue for queue in queues if queue is not None])
    if None in queues:
        wanted |= tickers.c.queue.is_(None)
    rows = connection.execute(
        select(tickers.c.queue, func.count())
        .where(tickers.c.check_at.is_not(None), tickers.c.namespace == namespace, wanted)
        .group_by(tickers.c.queue)
    )
    return {row[0]: row[1] for row in rows}


def active_per_function(connection: Connection, namespace: str, names: Collection[str]) -> dict[str, int]:
    """Return how many runs of each function are Queued or InProgress."""
    counts = dict.fromkeys(names, 0)
    for column in (tickers.c.check_at, tickers.c.running_on):
        rows = connection.execute(
            select(tickers.c.function, func.count())
            .where(column.is_not(None), tickers.c.namespace == namespace, tickers.c.function.in_(list(names)))
            .group_by(tickers.c.function)
        )
        for name, count in rows:
            counts[name] += count
    return counts


def held_keys(connection: Connection, namespace: str, reason: HoldReason) -> list[str]:
    """Return the keys under which runs are held for ``reason``."""
    return _keys(connection, _held_keys(namespace, reason))


def next_held_keys(
    connection: Connection, namespace: str, reason: HoldReason, *, after: str, limit: int
) -> list[str]:
    """Return up to ``limit`` keys under which runs are held for ``reason``, in order, from ``after`` on."""
    keys = _held_keys(namespace, reason).where(tickers.c.hold_key > after)
    return _keys(connection, keys.order_by(tickers.c.hold_key).limit(limit))


def queue_key(queue: str | None) -> str:
    """Return the key under which runs are held while their queue is full."""
    return f"{_QUEUE_PREFIX}{queue or ''}"


def lift_full_queues(connection: Connection, clock: Clock, *, namespace: str, most: int) -> int:
    """Make runs due that were held for a full queue, as many as now fit; return how many."""
    keys = [
        key for key in held_keys(connection, namespace, HoldReason.LIMIT) if key.startswith(_QUEUE_PREFIX)
    ]
    if not keys:
        return 0
    queues = {key: key.removeprefix(_QUEUE_PREFIX) or None for key in keys}
    queued = queued_per_queue(connection, namespace, queues.values())
    lifted = 0
    for key, queue in queues.items():
        room = max(0, most - queued.get(queue, 0))
        lifted += len(
            lift(connection, clock, namespace=namespace, reason=HoldReason.LIMIT, keys=[key], limit=room)
        )
    return lifted


def _held_keys(namespace: str, reason: HoldReason) -> Select[str]:
    return (
        select(tickers.c.hold_key)
        .where(tickers.c.held_for == reason.value, tickers.c.namespace == namespace)
        .distinct()
    )


def _keys(connection: Connection, statement: Select[str]) -> list[str]:
    return list(connection.scalars(statement))


def _next_check(clock: Clock, check_after: timedelta) -> ColumnElement[Any]:
    return case(
        *(
            (tickers.c.publish_count == n, sql_after(clock, check_after * 2**n))
            for n in range(_MOST_DOUBLINGS)
        ),
        else_=sql_after(clock, check_after * 2**_MOST_DOUBLINGS),
    )
