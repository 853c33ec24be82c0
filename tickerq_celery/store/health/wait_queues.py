"""Who holds the slots that a run waits for, and how many runs stand before it."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias, TypeVar

from sqlalchemy import ColumnElement, ScalarSelect, and_, func, literal, or_, select

from tickerq_celery.enums import HoldReason, TickerKind
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.health.waiting import OTHER_COLUMNS, OtherRun, WaitingRun, other_from
from tickerq_celery.store.reading import active_runs
from tickerq_celery.store.reading.index_scans import EARLIEST, limited_union
from tickerq_celery.store.tables import tickers
from tickerq_celery.tickers.claims import Slot
from tickerq_celery.tickers.counts import MOST_COUNTED

# As many as a person reads.
MOST_SHOWN = 12
_KeyT = TypeVar("_KeyT", bound=Hashable)
# How many runs meet conditions, to be counted beside others.
Counting: TypeAlias = ScalarSelect[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotHolders:
    """How many runs hold slots, and the first dozen of them: those in progress, then those Queued."""

    count: int
    shown: Sequence[OtherRun]


def holders(tx: Transaction, function: str, slot: Slot | None = None, *, most: int) -> SlotHolders:
    """Return the active runs of a function, or those of one ``slot`` of it; the longest active first.

    They are counted to ``most``, the limit that they may have reached, or to 10,000.
    """
    limit = max(most, MOST_COUNTED)
    own = _active(tx, function, slot)
    states = (active_runs.IS_RUNNING, active_runs.IS_QUEUED)
    # No more are active than the function's limit lets be, so that there is little to sort.
    parts = [
        select(literal(number).label("state"), *OTHER_COLUMNS)
        .where(is_active, own)
        .order_by(tickers.c.locked_at, tickers.c.id)
        .limit(MOST_SHOWN)
        for number, is_active in enumerate(states)
    ]
    rows = tx.execute(limited_union(tx.connection.dialect.name, parts)).all()
    # A union has no order.
    rows = sorted(rows, key=lambda row: (row.locked_at or EARLIEST, row.id))
    found = [[row for row in rows if row.state == number] for number in range(len(states))]
    full = {
        number: _count(states[number], own, limit=limit)
        for number, some in enumerate(found)
        if len(some) == MOST_SHOWN
    }
    counts = dict(enumerate(map(len, found))) | counted(tx, full)
    shown = [other_from(row) for some in found for row in some]
    return SlotHolders(count=sum(counts.values()), shown=shown[:MOST_SHOWN])


def counted(tx: Transaction, counts: Mapping[_KeyT, Counting]) -> dict[_KeyT, int]:
    """Return what such counts come to, all by one statement."""
    if not counts:
        return {}
    row = tx.execute(select(*(each.label(f"n{at}") for at, each in enumerate(counts.values())))).one()
    return dict(zip(counts, row, strict=True))


def last_taken_at(tx: Transaction, function: str) -> datetime | None:
    """Return when an active run of a function last took its slot, or None where none is active."""
    own = _active(tx, function, None)
    last = [
        tx.scalar(
            select(tickers.c.locked_at).where(is_active, own).order_by(tickers.c.locked_at.desc()).limit(1)
        )
        for is_active in (active_runs.IS_RUNNING, active_runs.IS_QUEUED)
    ]
    return max((each for each in last if each is not None), default=None)


def _active(tx: Transaction, function: str, slot: Slot | None) -> ColumnElement[bool]:
    # A Celery task may have the name of a function.
    which = [tickers.c.function == function, tickers.c.kind == TickerKind.FUNCTION.value]
    if slot is not None:
        which.append(tickers.c.concurrency_key == slot.key)
    return active_runs.own(tx, *which)


def queued_in(tx: Transaction, queue: str | None, *, most: int) -> Counting:
    """Return how many runs of functions are Queued for a ``queue``, counted to ``most``; None names none."""
    return _count(*_queued(tx, queue), limit=most)


def ahead_of(tx: Transaction, run: WaitingRun) -> Counting:
    """Return how many runs of a run's function are Queued for the same queue, counted to 10,000."""
    return _count(*_queued(tx, run.queue), active_runs.own(tx, tickers.c.function == run.function))


def published_before(tx: Transaction, run: WaitingRun) -> Counting:
    """Return how many runs that are Queued for the same queue were published before a published run."""
    return _count(*_queued(tx, run.queue), tickers.c.published_at < run.published_at)


def _queued(tx: Transaction, queue: str | None) -> tuple[ColumnElement[bool], ...]:
    return (
        active_runs.IS_QUEUED,
        active_runs.own(tx),
        tickers.c.kind == TickerKind.FUNCTION.value,
        tickers.c.queue.is_(None) if queue is None else tickers.c.queue == queue,
    )


def held_before(tx: Transaction, run: WaitingRun) -> Counting:
    """Return how many runs that are held for the same come before a held run, in the order of release."""
    comes_first = or_(
        tickers.c.priority < int(run.priority),
        and_(tickers.c.priority == int(run.priority), tickers.c.id < run.id),
    )
    if run.held_for is HoldReason.OVERLAP:
        # A manual run goes to the head of the wait queue.
        is_manual = tickers.c.instant.is_(None)
        comes_first = and_(comes_first, is_manual) if run.is_manual else or_(comes_first, is_manual)
    reason = "" if run.held_for is None else run.held_for.value
    held = (tickers.c.held_for == reason, tickers.c.hold_key == run.hold_key)
    return _count(*held, active_runs.own(tx), comes_first, tickers.c.id != run.id)


def _count(*which: ColumnElement[bool], limit: int = MOST_COUNTED) -> Counting:
    some = select(tickers.c.id).where(*which).limit(limit)
    return select(func.count()).select_from(some.subquery()).scalar_subquery()
