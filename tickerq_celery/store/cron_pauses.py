"""The pause of one cron ticker: by an operator, by its own failures, or as no code defines it any more."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from tickerq_celery.enums import SUCCEEDED, TickerStatus
from tickerq_celery.store.cron_tickers import edit
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.occurrences import hold_pending
from tickerq_celery.store.row_mapping import cron_row
from tickerq_celery.store.tables import cron_tickers, tickers
from tickerq_celery.tickers.cron_rows import CronRow

ORPHANED = "no beat's code defines this entry any more"
_ENDS = SUCCEEDED | {TickerStatus.FAILED}


def is_orphaned(cron: CronRow) -> bool:
    """Return True if a cron ticker is paused since no beat's code has its entry, and not by an operator."""
    return not cron.is_enabled and cron.paused_reason == ORPHANED and cron.paused_by is None


def pause(
    tx: Transaction,
    cron: CronRow,
    *,
    reason: str | None,
    by: str | None,
    now: datetime,
) -> None:
    """Stop a locked cron ticker from firing, and hold its occurrences that are due."""
    paused = replace(
        cron,
        is_enabled=False,
        paused_reason=reason,
        paused_by=by,
        paused_at=now,
        resume_from=cron.first_unrecorded,
        next_run_at=None,
    )
    edit(tx, cron, paused)
    hold_pending(tx, cron.id)


def lock_pausable(tx: Transaction, cron_id: UUID) -> CronRow | None:
    """Lock a cron ticker that failures may pause; None where they may not, or another has it locked."""
    row = tx.execute(
        select(cron_tickers)
        .where(
            cron_tickers.c.id == cron_id,
            cron_tickers.c.is_enabled.is_(True),
            cron_tickers.c.pause_on_failure.is_not(None),
        )
        .with_for_update(skip_locked=True)
    ).one_or_none()
    return None if row is None else cron_row(row)


def failures_in_a_row(tx: Transaction, cron: CronRow, *, among_latest: int | None) -> int:
    """Return how many of a cron ticker's latest instants have failed, since it was resumed the last time.

    At most as many as pause it; those that did not end by themselves do not count. ``among_latest`` is
    how many instants are looked through for them, None for all.
    """
    latest = (
        select(tickers.c.instant, tickers.c.status, tickers.c.ended_at)
        .where(tickers.c.cron_ticker_id == cron.id, tickers.c.instant.is_not(None))
        .order_by(tickers.c.instant.desc())
        .limit(among_latest)
        .subquery()
    )
    statement = (
        select(latest.c.status)
        .where(latest.c.status.in_(_ENDS))
        .order_by(latest.c.instant.desc())
        .limit(cron.pause_on_failure)
    )
    if cron.resumed_at is not None:
        statement = statement.where(latest.c.ended_at > cron.resumed_at)
    count = 0
    for status in tx.scalars(statement):
        if status is not TickerStatus.FAILED:
            break
        count += 1
    return count
