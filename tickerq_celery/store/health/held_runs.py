"""What is held, by what it waits for: how many runs, and since when."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from tickerq_celery.enums import HoldReason
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.health.backlog import Waiting
from tickerq_celery.store.reading import active_runs
from tickerq_celery.store.reading.index_scans import one_of_each
from tickerq_celery.store.runs.concurrency import queue_key
from tickerq_celery.store.tables import tickers
from tickerq_celery.tickers.counts import MOST_COUNTED, Count

_T = tickers.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Runs that are held under one key: of a ``function``, or of one that waits for a queue to empty."""

    reason: HoldReason
    key: str
    function: str
    queue: str | None
    runs: Count
    since: datetime | None


def held_under_keys(tx: Transaction, reason: HoldReason, *, most: int) -> list[Held]:
    """Return what is held for ``reason``, by its key, up to ``most`` keys; for reasons with few of them."""
    return [_held_under(tx, reason, key) for key in keys(tx, reason, most=most)]


def held_for_capacity(waiting: Waiting) -> Held:
    """Return what is due and waits for capacity in its queue in the form of what is held for that."""
    return Held(
        reason=HoldReason.LIMIT,
        key=queue_key(waiting.queue),
        function=waiting.function,
        queue=waiting.queue or "",
        runs=Count(waiting.runs, is_partial=waiting.runs >= MOST_COUNTED),
        since=waiting.since,
    )


def held_for_slots(tx: Transaction) -> list[Held]:
    """Return what waits for slots of concurrency keys, by function, among the first that do."""
    some = (
        select(_T.namespace, _T.function, _T.held_since)
        .where(_T.held_for == HoldReason.KEY.value)
        .order_by(_T.hold_key)
        .limit(MOST_COUNTED)
        .subquery()
    )
    rows = tx.execute(
        select(some.c.function, func.count(), func.min(some.c.held_since))
        .where(some.c.namespace == tx.namespace)
        .group_by(some.c.function)
        .order_by(some.c.function)
    )
    return [
        Held(reason=HoldReason.KEY, key="", function=name, queue=None, runs=Count(runs), since=since)
        for name, runs, since in rows
    ]


def keys(tx: Transaction, reason: HoldReason, *, most: int, after: str = "") -> Iterator[str]:
    """Yield each key behind ``after`` once, in order, up to ``most`` keys."""
    held = select(_T.hold_key).where(active_runs.own(tx), _T.held_for == reason.value).order_by(_T.hold_key)
    for row in one_of_each(tx, held, _T.hold_key, after=after, most=most):
        yield row.hold_key


def _held_under(tx: Transaction, reason: HoldReason, key: str) -> Held:
    columns = (_T.function, _T.queue, _T.held_since)
    some = (
        select(*columns)
        .where(active_runs.own(tx), _T.held_for == reason.value, _T.hold_key == key)
        .limit(MOST_COUNTED)
        .subquery()
    )
    runs, since, function, queue = tx.execute(
        select(func.count(), func.min(some.c.held_since), func.min(some.c.function), func.min(some.c.queue))
    ).one()
    # Runs that wait for a slot of their function may name a queue, too.
    full = queue if key == queue_key(queue) else None
    return Held(reason=reason, key=key, function=function or "", queue=full, runs=Count(runs), since=since)
