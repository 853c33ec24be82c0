"""What is overdue: due and not claimed, claimed and not started, due and not fired."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select

from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.tables import cron_tickers, tickers


@dataclass(frozen=True, slots=True, kw_only=True)
class Overdue:
    """How much is overdue in a namespace, and since when; what is held waits for its cause, and is not."""

    runs: int
    run_since: datetime | None
    queued: int
    queued_since: datetime | None
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
    )
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
        crons=crons,
        cron_since=cron_since,
    )


def _count(
    tx: Transaction, moment: ColumnElement[datetime], *where: ColumnElement[bool]
) -> tuple[int, datetime | None]:
    count, first = tx.execute(select(func.count(), func.min(moment)).where(*where)).one()
    return count, first
