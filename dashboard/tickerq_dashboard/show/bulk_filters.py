"""Which runs a bulk job means, in the words of the pages."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from tickerq_celery import TickerStatus
from tickerq_celery.enums import Origin
from tickerq_celery.views import BulkJob
from tickerq_dashboard.filter_values import YES_OR_NO
from tickerq_dashboard.run_filters import RunFilters
from tickerq_dashboard.show.durations import duration
from tickerq_dashboard.show.moments import Clock
from tickerq_dashboard.show.statuses import LOOKS
from tickerq_dashboard.show.words import made_by, plural

# What waits for its time has a moment from which it is due; what is held or claimed has none. What has ended
# has a moment of its end, and nothing else has.
EVER = datetime(2000, 1, 1, tzinfo=UTC)
_EVER = {"due_from": "waiting for their moment", "ended_from": "that have ended"}

_NAMES = {name: field.title for name, field in RunFilters.model_fields.items() if field.title}
_VALUES = {"time_ticker": "time tickers", "cron_ticker_occurrence": "occurrences of cron tickers"}
_STATUSES = {status.name.lower(): LOOKS[status].word for status in TickerStatus}


def job_runs(job: BulkJob, clock: Clock) -> str:
    """Return which runs a job means: "status Failed, tag eu", or how many were chosen."""
    if job.total is not None:
        return f"{plural(job.total, 'run')} chosen one by one"
    return clock.localised(filter_words(job.filters or {}))


def filter_words(filters: Mapping[str, Any]) -> str:
    """Return which runs meet the filters of a job, with moments as it stores them."""
    return ", ".join(_said(filters)) or "all runs"


def _said(filters: Mapping[str, Any]) -> Iterator[str]:
    for name, value in filters.items():
        if name == "exclude":
            yield f"not {' and '.join(_said(value))}"
        elif name in YES_OR_NO:
            yield YES_OR_NO[name][0 if value else 1]
        else:
            yield _OTHERS.get(name, _named)(name, value)


def _named(name: str, value: Any) -> str:
    values = value if isinstance(value, list) else [value]
    words = ", ".join(_VALUES.get(str(each), str(each)) for each in values)
    return f"{_NAMES.get(name, name.replace('_', ' '))} {words}"


def _status(name: str, value: Any) -> str:
    return f"status {', '.join(_STATUSES.get(each, each) for each in value)}"


def _origin(name: str, value: Any) -> str:
    origins = value if isinstance(value, list) else [value]
    return f"made by {', '.join(made_by(Origin(each)) for each in origins)}"


def _moment(name: str, value: Any) -> str:
    is_ever = datetime.fromisoformat(value) == EVER
    return _EVER[name] if is_ever and name in _EVER else f"{_NAMES[name]} {value}"


def _least(name: str, value: Any) -> str:
    if name == "min_attempts":
        return f"at least {plural(value, 'attempt')}"
    return f"took at least {duration(timedelta(seconds=value))}"


_OTHERS: Mapping[str, Callable[[str, Any], str]] = {
    "status": _status,
    "origin": _origin,
    "min_attempts": _least,
    "min_elapsed": _least,
    **dict.fromkeys((name for name in _NAMES if name.endswith(("_from", "_until"))), _moment),
}
