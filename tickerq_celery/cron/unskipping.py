"""Undo the skip of an instant that is still to come: its record goes, and the cron ticker fires at it."""

from dataclasses import replace
from datetime import datetime

from tickerq_celery.store.cron import cron_tickers, skips
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.tickers.cron_rows import CronRow


def unskip(tx: Transaction, cron: CronRow) -> datetime | None:
    """Undo the latest skip of a locked cron ticker whose instant is to come; return that, or None.

    Only of an instant that it still has: an edit of its times since then has taken back the others.

    Raises:
        TickerValidationError: Its expression or its zone cannot be read on this machine.
    """
    timetable = cron.timetable()
    for each in skips.lock_after(tx, cron.id, tx.now):
        if cron.has_runs_left and timetable.has(each.instant):
            skips.remove(tx, each)
            cron_tickers.edit(tx, cron, _back_at(cron, each.instant))
            return each.instant
    return None


def _back_at(cron: CronRow, instant: datetime) -> CronRow:
    """Return a row that fires at an instant to come, or once what keeps it from firing has ended."""
    first = min(instant, cron.first_unrecorded or instant)
    if cron.is_enabled and cron.resume_from is None:
        return replace(cron, next_run_at=first)
    return replace(cron, resume_from=first)
