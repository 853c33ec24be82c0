"""Count active runs by the indexes that hold nothing else, each to a bound."""

from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, Select, and_, func, select

from tickerq_celery.enums import HoldReason, TickerKind
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.reading import active_runs
from tickerq_celery.store.tables import cron_tickers, tickers
from tickerq_celery.tickers.counts import MOST_COUNTED, Count, RunCounts

_T, _C = tickers.c, cron_tickers.c
_COUNTED = ("in_progress", "queued", "published", "due", "scheduled", "due_crons")


def counts(tx: Transaction) -> RunCounts:
    """Return how many runs of the namespace are active, in one statement."""
    own, in_namespace = active_runs.own(tx), _T.namespace == tx.namespace
    is_due = (in_namespace, _T.due_at <= tx.sql_now())
    first = select(_T.due_at).where(*is_due).order_by(_T.due_at).limit(1)
    crons_due = (_C.namespace == tx.namespace, _C.next_run_at <= tx.sql_now())
    due_crons = select(_C.next_run_at).where(*crons_due).order_by(_C.next_run_at)
    held = {each: f"held_for_{each.value}" for each in HoldReason}
    row = (
        tx.execute(
            select(
                tx.sql_now().label("at"),
                counted(own, active_runs.IS_RUNNING, order=_T.running_on).label("in_progress"),
                counted(own, active_runs.IS_QUEUED, order=_T.check_at).label("queued"),
                _published_among_queued(own).label("published"),
                counted(*is_due, order=_T.due_at).label("due"),
                first.scalar_subquery().label("due_since"),
                _number_of(due_crons).label("due_crons"),
                due_crons.limit(1).scalar_subquery().label("due_crons_since"),
                counted(in_namespace, _T.due_at > tx.sql_now(), order=_T.due_at).label("scheduled"),
                *(
                    counted(own, _T.held_for == reason.value, order=_T.hold_key).label(name)
                    for reason, name in held.items()
                ),
            )
        )
        .one()
        ._asdict()
    )
    return RunCounts(
        at=row["at"],
        due_since=row["due_since"],
        due_crons_since=row["due_crons_since"],
        held={reason: Count(row[name]) for reason, name in held.items()},
        **{name: Count(row[name]) for name in _COUNTED},
    )


def _published_among_queued(own: ColumnElement[bool]) -> ScalarSelect[int]:
    # Of those that were counted: looked for beyond them, none might be found.
    columns = (_T.kind, _T.published_at)
    queued = select(*columns).where(own, active_runs.IS_QUEUED).order_by(_T.check_at).limit(MOST_COUNTED)
    some = queued.subquery()
    is_published = and_(some.c.kind == TickerKind.CELERY_TASK.value, some.c.published_at.is_not(None))
    return select(func.count()).select_from(some).where(is_published).scalar_subquery()


def counted(*which: ColumnElement[bool], order: ColumnElement[object]) -> ScalarSelect[int]:
    """Return how many runs there are of which all of that is true, as a subquery in an index's order."""
    # In the order of the index: a bound alone would let PostgreSQL hope to meet enough rows in the table.
    return _number_of(select(_T.id).where(*which).order_by(order))


def _number_of(some: Select[Any]) -> ScalarSelect[int]:
    return select(func.count()).select_from(some.limit(MOST_COUNTED).subquery()).scalar_subquery()
