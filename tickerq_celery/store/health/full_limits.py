"""Limits whose slots are all taken: who holds them, since when, and which run has waited longest for one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from tickerq_celery.enums import HoldReason
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.functions import functions
from tickerq_celery.store.health import wait_queues
from tickerq_celery.store.health.held_runs import Held
from tickerq_celery.store.health.waiting import OtherRun
from tickerq_celery.store.reading import active_runs
from tickerq_celery.store.tables import tickers
from tickerq_celery.tickers.counts import MOST_COUNTED

_T = tickers.c


@dataclass(frozen=True, slots=True, kw_only=True)
class FullLimit:
    """So many runs ``holding`` the ``most`` slots of a function, the ``first`` of them, and who waits.

    The last slot was taken at ``taken_at``; ``waiting`` is the run that has been held the longest.
    """

    most: int
    holding: int
    first: OtherRun
    taken_at: datetime
    waiting: UUID


def find(tx: Transaction, held: Sequence[Held], *, longer_than: timedelta) -> Mapping[str, FullLimit]:
    """Return the full limits of functions for which the first of ``held`` has waited for long enough."""
    since = tx.now - longer_than
    names = [
        each.function
        for each in held
        if each.reason is HoldReason.LIMIT and each.queue is None and each.since and each.since < since
    ]
    limits = {name: record.max_concurrency for name, record in functions.find(tx, names).items()}
    found = {name: _full_limit(tx, name, most) for name, most in limits.items() if most is not None}
    return {name: full for name, full in found.items() if full is not None}


def _full_limit(tx: Transaction, function: str, most: int) -> FullLimit | None:
    holders = wait_queues.holders(tx, function, most=most)
    taken_at, waiting = wait_queues.last_taken_at(tx, function), _first_held(tx, function)
    if holders.count < most or taken_at is None or waiting is None:
        return None
    return FullLimit(
        most=most, holding=holders.count, first=holders.shown[0], taken_at=taken_at, waiting=waiting
    )


def _first_held(tx: Transaction, function: str) -> UUID | None:
    which = active_runs.own(tx, _T.held_for == HoldReason.LIMIT.value, _T.hold_key == function)
    some = select(_T.id, _T.held_since).where(which).limit(MOST_COUNTED).subquery()
    return tx.scalar(select(some.c.id).order_by(some.c.held_since, some.c.id).limit(1))
