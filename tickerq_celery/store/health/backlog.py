"""What is overdue: due and not claimed, claimed and not started, due and not fired; and what waits where."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, false, func, not_, or_, select

from tickerq_celery.enums import HoldReason, TickerKind, TickerStatus
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.reading import active_runs
from tickerq_celery.store.tables import cron_tickers, tickers
from tickerq_celery.tickers.counts import MOST_COUNTED, Count
from tickerq_celery.tickers.flows import FunctionQueue

_T = tickers.c
# Of those that wait for their parents: what a statement takes as parameters on each database.
_MOST_CHILDREN = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """How many are late, counted to a bound, and since when the first of them."""

    count: Count
    since: datetime | None

    @classmethod
    def sum(cls, parts: Iterable["Late"]) -> "Late":
        """Return how many are late in all parts."""
        there = [part for part in parts if part.count.number]
        number = sum(part.count.number for part in there)
        since = min((part.since for part in there if part.since is not None), default=None)
        return cls(count=Count(number, is_partial=any(part.count.or_more for part in there)), since=since)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overdue:
    """What is overdue in a namespace; what is held waits for its cause, and is not.

    ``runs`` are those that are due, by their function, without those of Celery tasks: these are ``calls``.
    ``unreported`` are calls whose children wait for a worker's report of them.
    """

    runs: Mapping[str, Late]
    calls: Late
    queued: Late
    unreported: Late
    crons: Late


def overdue(
    tx: Transaction, *, due_for: timedelta, queued_for: timedelta, without: Collection[FunctionQueue] = ()
) -> Overdue:
    """Return what is due and not claimed for ``due_for``, or unstarted for ``queued_for``.

    What is due of functions in the queues ``without`` waits for capacity, and is not overdue.
    """
    due, queued = tx.sql_after(-due_for), tx.sql_after(-queued_for)
    crons = cron_tickers.c
    runs, calls = _overdue_runs(tx, due, without)
    return Overdue(
        runs=runs,
        calls=calls,
        queued=_late(
            tx,
            _T.locked_at,
            (
                active_runs.own(tx),
                active_runs.IS_QUEUED,
                _T.locked_at <= queued,
                # A call that the broker has is never published again, and its retry may be due much later.
                or_(_T.kind != TickerKind.CELERY_TASK.value, _T.published_at.is_(None)),
            ),
            order=_T.check_at,
        ),
        unreported=_unreported(tx, queued),
        crons=_late(
            tx,
            crons.next_run_at,
            (crons.namespace == tx.namespace, crons.next_run_at <= due),
            order=crons.next_run_at,
        ),
    )


def _overdue_runs(
    tx: Transaction, since: ColumnElement[datetime], without: Collection[FunctionQueue]
) -> tuple[dict[str, Late], Late]:
    # What is left out comes after the bound, so that no more are read: others behind a backlog of 10,000 are
    # overdue only if no beat is well, and then no flow has published runs for long.
    some = (
        select(_T.due_at, _T.kind, _T.function, _T.queue)
        .where(_T.namespace == tx.namespace, _T.due_at <= since)
        .order_by(_T.due_at)
        .limit(MOST_COUNTED)
        .subquery()
    )
    of_flows = [
        and_(
            some.c.function == each.function,
            some.c.queue.is_(None) if each.queue is None else some.c.queue == each.queue,
        )
        for each in without
    ]
    is_call = some.c.kind != TickerKind.FUNCTION.value
    rows = tx.execute(
        select(some.c.kind, some.c.function, func.count(), func.min(some.c.due_at))
        .where(or_(is_call, not_(or_(false(), *of_flows))))
        .group_by(some.c.kind, some.c.function)
    )
    late = [(kind, function, Late(count=Count(count), since=since)) for kind, function, count, since in rows]
    runs = {function: its for kind, function, its in late if kind == TickerKind.FUNCTION}
    return runs, Late.sum(its for kind, _, its in late if kind != TickerKind.FUNCTION)


def _late(
    tx: Transaction,
    moment: ColumnElement[Any],
    which: Sequence[ColumnElement[bool]],
    *,
    order: ColumnElement[Any],
) -> Late:
    # In the order of an index that holds little else, so that no planner hopes for enough rows elsewhere.
    some = select(moment.label("moment")).where(*which).order_by(order).limit(MOST_COUNTED).subquery()
    count, since = tx.execute(select(func.count(), func.min(some.c.moment))).one()
    return Late(count=Count(count), since=since)


def _unreported(tx: Transaction, published: ColumnElement[datetime]) -> Late:
    # Found by what waits below them, of which there is an index: in a statement of its own, as a join would
    # lead SQLite to read all runs where nothing waits.
    waits = (active_runs.own(tx), _T.held_for == HoldReason.PARENT.value)
    children = select(_T.parent_id).where(*waits).order_by(_T.hold_key).limit(_MOST_CHILDREN)
    parents = {each for each in tx.scalars(children) if each is not None}
    if not parents:
        return Late(count=Count(0), since=None)
    is_unreported = (
        _T.id.in_(parents),
        _T.kind == TickerKind.CELERY_TASK.value,
        _T.status == TickerStatus.QUEUED,
        _T.published_at <= published,
    )
    count, since = tx.execute(select(func.count(), func.min(_T.published_at)).where(*is_unreported)).one()
    return Late(count=Count(count), since=since)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Runs of a function that are due or queued: the ``queue`` is their own, None where a router decides.

    So many of them are ``unstarted``: overdue in the sense of ``Overdue.queued``. Those that ``are_due`` were
    not claimed yet; the others were, between ``since`` and ``latest``.
    """

    function: str
    queue: str | None
    runs: int
    unstarted: int
    since: datetime
    latest: datetime
    are_due: bool

    @property
    def flow(self) -> FunctionQueue:
        """Their function in their queue."""
        return FunctionQueue(self.function, self.queue)


def waiting(tx: Transaction, *, queued_for: timedelta) -> list[Waiting]:
    """Return what the first due and the first queued runs are, each by function and queue; the oldest first.

    Calls of Celery tasks are left out: they may be for workers that the store does not know.
    """
    due = (
        select(_T.namespace, _T.kind, _T.function, _T.queue, _T.due_at.label("since"))
        .where(_T.namespace == tx.namespace, _T.due_at <= tx.sql_now())
        .order_by(_T.due_at)
    )
    queued = (
        select(_T.namespace, _T.kind, _T.function, _T.queue, _T.locked_at.label("since"))
        .where(active_runs.IS_QUEUED)
        .order_by(_T.check_at)
    )
    of_due = _grouped(tx, due, None)
    of_queued = _grouped(tx, queued, tx.sql_after(-queued_for))
    found = [
        Waiting(
            function=function,
            queue=queue,
            runs=runs,
            unstarted=int(unstarted),
            since=since,
            latest=latest,
            are_due=grouped is of_due,
        )
        for grouped in (of_due, of_queued)
        for function, queue, runs, unstarted, since, latest in grouped
    ]
    return sorted(found, key=lambda each: each.since)


def for_capacity(waiting: Sequence[Waiting], *, claimed_since: datetime) -> list[Waiting]:
    """Return those of ``waiting`` that are due while others of their function are published to their queue.

    They wait for capacity behind these, if one of them was claimed lately: else no beat looks at them.
    """
    published = {each.flow for each in waiting if not each.are_due and each.latest >= claimed_since}
    return [each for each in waiting if each.are_due and each.flow in published]


def _grouped(tx: Transaction, some: Select[Any], unstarted: ColumnElement[datetime] | None) -> Sequence[Any]:
    # Conditions that the index does not know come after the bound: rows that fail them are read no longer.
    read = some.limit(MOST_COUNTED).subquery()
    is_unstarted = false() if unstarted is None else read.c.since <= unstarted
    of_them = func.sum(case((is_unstarted, 1), else_=0))
    return tx.execute(
        select(
            read.c.function,
            read.c.queue,
            func.count(),
            of_them,
            func.min(read.c.since),
            func.max(read.c.since),
        )
        .where(read.c.namespace == tx.namespace, read.c.kind == TickerKind.FUNCTION.value)
        .group_by(read.c.function, read.c.queue)
    ).all()
