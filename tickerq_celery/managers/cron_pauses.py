"""Pausing a cron ticker that the transaction has locked, and what becomes of its occurrences meanwhile."""

from typing import Any

from sqlalchemy import Connection

from tickerq_celery.cron_drafts import next_run
from tickerq_celery.enums import HoldReason
from tickerq_celery.managers.cron_outlook import timetable_of_view
from tickerq_celery.managers.storing import Storing
from tickerq_celery.store import cron_tickers, holds
from tickerq_celery.views import Cron

_MOST_PENDING = 10_000


def pause(
    storing: Storing, connection: Connection, cron: Cron, *, reason: str | None, by: str | None
) -> None:
    """Stop it from firing, and hold its occurrences that nobody has claimed; once paused, change nothing."""
    if not cron.is_enabled:
        return
    changes: dict[str, Any] = {
        "is_enabled": False,
        "paused_reason": reason,
        "paused_by": by,
        "paused_at": storing.now(connection),
        "next_run_at": None,
    }
    cron_tickers.edit(connection, storing.core.clock, cron.id, changes)
    cron_tickers.hold_pending(connection, cron.id)


def resume(storing: Storing, connection: Connection, cron: Cron) -> None:
    """Let it fire from its next instant on, and what was held run now; unless it was not paused."""
    if cron.is_enabled:
        return
    changes: dict[str, Any] = {
        "is_enabled": True,
        "paused_reason": None,
        "paused_by": None,
        "paused_at": None,
        "next_run_at": next_run(
            timetable_of_view(cron),
            now=storing.now(connection),
            max_runs=cron.max_runs,
            run_count=cron.run_count,
        ),
    }
    cron_tickers.edit(connection, storing.core.clock, cron.id, changes)
    holds.lift(
        connection,
        storing.core.clock,
        namespace=storing.core.config.namespace,
        reason=HoldReason.PAUSED,
        keys=[str(cron.id)],
        limit=_MOST_PENDING,
    )
