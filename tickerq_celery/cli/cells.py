"""How tables and details write moments, durations, states and requests."""

import json
import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from tickerq_celery import wording
from tickerq_celery.enums import TickerPriority, TickerStatus
from tickerq_celery.errors import UnreadableRequestError
from tickerq_celery.tickers.summaries import RunState
from tickerq_celery.tickers.views import Cron, Run
from tickerq_celery.tickers.work import WORK_FIELDS

# As records of missed instants are stored.
_MOMENTS = re.compile(r"\b(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?\+00:00")
STYLES = {
    TickerStatus.IN_PROGRESS: "cyan",
    TickerStatus.DONE: "green",
    TickerStatus.DUE_DONE: "green",
    TickerStatus.FAILED: "red",
    TickerStatus.CANCELLED: "yellow",
    TickerStatus.SKIPPED: "yellow",
}
# What a view says of its work in words of its own, and what it says as it is.
_OWN_WORDS = {
    "namespace", "function", "kind", "description", "request", "encoding", "task_id", "on_lost", "retries",
    "retry_intervals",
}  # fmt: skip
_OPTIONS = tuple(name for name in WORK_FIELDS if name not in _OWN_WORDS)


def moment(at: datetime | None) -> str:
    """Return a moment in UTC, to the second; nothing for None."""
    return "" if at is None else wording.moment(at)


def reason(text: str | None) -> str:
    """Return a text of a run, such as why it was skipped, with its moments as tables write them."""
    return _MOMENTS.sub(r"\1 \2Z", text or "")


def duration(span: timedelta | None) -> str:
    """Return a duration as people read it: ``31 ms``, ``2.4 s``, ``5 min 10 s``; nothing for None."""
    return "" if span is None else wording.in_units(span)


def setting(span: timedelta | None) -> str:
    """Return a duration that was set, without loss: ``1 h 30 min 0.5 s``; nothing for None."""
    return "" if span is None else wording.exactly(span)


def durations(spans: Sequence[timedelta]) -> str:
    """Return durations that were set, one after the other."""
    return ", ".join(map(setting, spans))


def options(view: Run | Cron) -> dict[str, str | None]:
    """Return how a ticker is executed: what is said of runs and of cron tickers alike."""
    return {
        "waits between": durations(view.retry_intervals) if view.retries else None,
        "if its worker dies": None if view.on_lost is None else view.on_lost.value,
        **{name.replace("_", " "): _option(getattr(view, name)) for name in _OPTIONS},
    }


def _option(value: object) -> str | None:
    if isinstance(value, timedelta):
        return setting(value)
    if isinstance(value, TickerPriority):
        return value.name.lower()
    if isinstance(value, tuple):
        return ", ".join(value)
    return None if value is None else str(value)


def status_style(run: RunState) -> str | None:
    """Return the colour of a run's status."""
    return None if run.is_published else STYLES.get(run.status)


def request(view: Run | Cron) -> str | None:
    """Return a request as people may see it, or why it cannot be read; None where there is none."""
    try:
        shown = view.shown_request
        return None if shown is None else json.dumps(shown, indent=2, ensure_ascii=False)
    except UnreadableRequestError as error:
        # Nothing of it: what cannot be parsed cannot be masked.
        return f"{error} ({len(view.stored_request.packed.data or b''):,} bytes are stored)"
