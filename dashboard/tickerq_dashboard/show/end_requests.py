"""A run in progress that was asked to end: since when, whether it checks for that, and what comes next."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from tickerq_celery import Run, TickerStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class EndRequest:
    """Since when a run is asked to end, or its process to be killed.

    ``is_unheeded`` after so long that it would have ended if it looked for it.
    """

    since: datetime
    is_kill: bool
    is_unheeded: bool


def end_request_of(run: Run, now: datetime, *, is_kill: bool, after: timedelta) -> EndRequest | None:
    """Return what was asked of a run in progress, or None.

    Nothing but the request changes such a run, so that its last change is the moment of that.
    """
    if not run.cancel_requested or run.status is not TickerStatus.IN_PROGRESS:
        return None
    since = run.updated_at
    return EndRequest(since=since, is_kill=is_kill, is_unheeded=now - since > after)
