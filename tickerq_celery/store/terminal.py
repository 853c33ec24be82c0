"""The columns of a run that ends, the same whatever ended it."""

from datetime import datetime

from sqlalchemy import ColumnElement

from tickerq_celery.enums import TickerStatus


def terminal(
    status: TickerStatus | ColumnElement[TickerStatus],
    now: ColumnElement[datetime],
    reason: str | None = None,
) -> dict[str, object]:
    """Return what the end of a run sets: its status and time, and that nothing waits for it or runs it.

    ``reason`` is why it ended without being executed, or None.
    """
    return {
        "status": status,
        "ended_status": status,
        "ended_at": now,
        "updated_at": now,
        "skipped_reason": reason,
        # Neither due, nor held, nor published.
        "due_at": None,
        "held_for": None,
        "hold_key": None,
        "not_before": None,
        "check_at": None,
        # Nor running, nor in the way of another run of its key or its cron ticker.
        "running_on": None,
        "cancel_request": None,
        "alone_for": None,
        "active_key": None,
    }
