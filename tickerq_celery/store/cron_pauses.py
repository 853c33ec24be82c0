"""The pause of one cron ticker, by whom ever: an operator, or its own failures."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from tickerq_celery.enums import SUCCEEDED, TickerStatus
from tickerq_celery.store.cron_tickers import edit
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.occurrences import hold_pending
from tickerq_celery.store.tables import cron_tickers, tickers

GONE = "no beat's code defines this entry any more"
# What a cron ticker's row says of its pause, where there is none.
NOT_PAUSED = {"paused_reason": None, "paused_by": None, "paused_at": None}
_ENDS = SUCCEEDED | {TickerStatus.FAILED}


def is_gone(row: Mapping[str, Any]) -> bool:
    """Whether a cron ticker is paused since no beat's code has its entry, and not by anybody."""
    return not row["is_enabled"] and row["paused_reason"] == GONE and row["paused_by"] is None


def pause(
    tx: Transaction,
    cron: Mapping[str, Any],
    *,
    reason: str | None,
    by: str | None,
    now: datetime,
) -> None:
    """Stop a locked cron ticker from firing, and hold its occurrences that are due."""
    changes = {
        "is_enabled": False,
        "paused_reason": reason,
        "paused_by": by,
        "paused_at": now,
        "resume_from": cron["next_run_at"] or cron["resume_from"],
        "next_run_at": None,
    }
    edit(tx, cron["id"], changes)
    hold_pending(tx, cron["id"])


def lock_pausable(tx: Transaction, cron_id: UUID) -> Row[Any] | None:
    """Lock a cron ticker that failures may pause; None where they may not, or another has it locked."""
    return tx.execute(
        select(cron_tickers)
        .where(
            cron_tickers.c.id == cron_id,
            cron_tickers.c.is_enabled.is_(True),
            cron_tickers.c.pause_on_failure > 0,
        )
        .with_for_update(skip_locked=True)
    ).one_or_none()


def failures_in_a_row(tx: Transaction, cron: Mapping[str, Any], *, among_latest: int | None) -> int:
    """Return how many of a cron ticker's latest instants have failed, since it was resumed the last time.

    At most as many as pause it; those that did not end by themselves do not count. ``among_latest`` is
    how many instants are looked through for them, None for all.
    """
    latest = (
        select(tickers.c.instant, tickers.c.status, tickers.c.ended_at)
        .where(tickers.c.cron_ticker_id == cron["id"], tickers.c.instant.is_not(None))
        .order_by(tickers.c.instant.desc())
        .limit(among_latest)
        .subquery()
    )
    statement = (
        select(latest.c.status)
        .where(latest.c.status.in_(_ENDS))
        .order_by(latest.c.instant.desc())
        .limit(cron["pause_on_failure"])
    )
    if cron["resumed_at"] is not None:
        statement = statement.where(latest.c.ended_at > cron["resumed_at"])
    count = 0
    for status in tx.scalars(statement):
        if status is not TickerStatus.FAILED:
            break
        count += 1
    return count
