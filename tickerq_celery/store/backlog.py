"""What is overdue: due and not claimed, claimed and not started, due and not fired; and what is held."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, or_, select

from tickerq_celery.enums import HoldReason, TickerKind, TickerStatus
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.tables import cron_tickers, tickers

# As many as a person reads.
_MOST_FUNCTIONS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Overdue:
    """How much is overdue in a namespace, and since when; what is held waits for its cause, and is not.

    ``unreported`` are runs of Celery tasks whose children wait for a worker's report of them.
    """

    runs: int
    run_since: datetime | None
    queued: int
    queued_since: datetime | None
    unreported: int
    unreported_since: datetime | None
    crons: int
    cron_since: datetime | None


def overdue(tx: Transaction, *, due_for: timedelta, queued_for: timedelta) -> Overdue:
    """Return what is due and not claimed for ``due_for``, or unstarted for ``queued_for``."""
    due, queued = tx.sql_after(-due_for), tx.sql_after(-queued_for)
    runs, run_since = _count(
        tx, tickers.c.due_at, tickers.c.namespace == tx.namespace, tickers.c.due_at <= due
    )
    waiting, waiting_since = _count(
        tx,
        tickers.c.locked_at,
        tickers.c.namespace == tx.namespace,
        # Queued, and no other run.
        tickers.c.check_at.is_not(None),
        tickers.c.locked_at <= queued,
        # A call that the broker has is never published again, and its retry may be due much later.
        or_(tickers.c.kind != TickerKind.CELERY_TASK.value, tickers.c.published_at.is_(None)),
    )
    unreported, unreported_since = _unreported(tx, queued)
    crons, cron_since = _count(
        tx,
        cron_tickers.c.next_run_at,
        cron_tickers.c.namespace == tx.namespace,
        cron_tickers.c.next_run_at <= due,
    )
    return Overdue(
        runs=runs,
        run_since=run_since,
        queued=waiting,
        queued_since=waiting_since,
        unreported=unreported,
        unreported_since=unreported_since,
        crons=crons,
        cron_since=cron_since,
    )


def _unreported(tx: Transaction, published: ColumnElement[datetime]) -> tuple[int, datetime | None]:
    # Found by what waits below them, of which there is an index.
    child = tickers.alias("child")
    parents = (
        select(tickers.c.published_at)
        .join(child, child.c.parent_id == tickers.c.id)
        .where(
            child.c.held_for == HoldReason.PARENT.value,
            child.c.namespace == tx.namespace,
            tickers.c.kind == TickerKind.CELERY_TASK.value,
            tickers.c.status == TickerStatus.QUEUED,
            tickers.c.published_at <= published,
        )
        .group_by(tickers.c.id, tickers.c.published_at)
        .subquery()
    )
    count, first = tx.execute(select(func.count(), func.min(parents.c.published_at))).one()
    return count, first


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """How many runs of a function are held for want of a worker that has it."""

    function: str
    runs: int


def held_without_function(tx: Transaction) -> list[Held]:
    """Return what is held as no live worker has its function, the functions with most runs first."""
    runs = func.count().label("runs")
    rows = tx.execute(
        select(tickers.c.function, runs)
        .where(tickers.c.namespace == tx.namespace, tickers.c.held_for == HoldReason.FUNCTION)
        .group_by(tickers.c.function)
        .order_by(runs.desc(), tickers.c.function)
        .limit(_MOST_FUNCTIONS)
    )
    return [Held(function=row.function, runs=row.runs) for row in rows]


def _count(
    tx: Transaction, moment: ColumnElement[datetime], *where: ColumnElement[bool]
) -> tuple[int, datetime | None]:
    count, first = tx.execute(select(func.count(), func.min(moment)).where(*where)).one()
    return count, first
