"""Fields that a change touches, and their stored values, in the words of the pages."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from tickerq_dashboard.show.bulk_filters import filter_words
from tickerq_dashboard.show.durations import exact
from tickerq_dashboard.show.statuses import LOOKS
from tickerq_dashboard.show.words import json_text
from tickerq_dashboard.ticker_fields import CHOICE, FIELDS, NAMES, SPAN, SPANS, Kind

_STATUSES = {str(status): look.word for status, look in LOOKS.items()}
_REQUESTS = {"end": "to end", "terminate": "to be killed"}


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else json_text(value)


def _word(value: Any) -> str:
    return str(value).replace("_", " ").lower()


def _seconds(value: Any) -> str:
    return exact(timedelta(seconds=value)) if isinstance(value, int | float) else _plain(value)


def _list(say: Callable[[Any], str]) -> Callable[[Any], str]:
    return lambda value: ", ".join(map(say, value)) if isinstance(value, list) else _plain(value)


def _status(value: Any) -> str:
    return _STATUSES.get(str(value), str(value))


# The name, and the words for a value, where these are not as the table of fields has them.
_FIELDS: Mapping[str, tuple[str, Callable[[Any], str]]] = {
    "status": ("status", _status),
    "cancel_request": ("asked", lambda value: _REQUESTS.get(str(value), str(value))),
    "cancel_requested": ("asked to end", _plain),
    "is_enabled": ("fires", _plain),
    "paused_at": ("paused since", _plain),
    "paused_reason": ("reason of the pause", _plain),
    "next_run_at": ("next run", _plain),
    "resume_from": ("goes on from", _plain),
    "resumed_at": ("resumed", _plain),
    "released": ("held runs released", _plain),
    "execution_time": ("planned for", _plain),
    "as_of": ("runs as they were at", _plain),
    "filters": ("of", lambda value: filter_words(value) if isinstance(value, Mapping) else _plain(value)),
    "what": ("of", _plain),
    "state": ("", _word),
}
_KINDS: Mapping[Kind, Callable[[Any], str]] = {
    CHOICE: _word,
    SPAN: _seconds,
    SPANS: _list(_seconds),
    NAMES: _list(str),
}
# Fields of tickers that are not called here as in code, without underscores.
_NAMES = {
    "misfire": "missed instants (misfire)",
    "misfire_limit": "missed instants at most (misfire_limit)",
    "misfire_grace": "missed instants late at most (misfire_grace)",
    "pause_on_failure": "failures in a row before a pause",
    "on_lost": "if its worker dies",
    "retry_intervals": "waits between",
}


def field_words(field: str) -> str:
    """Return how the pages call a field."""
    name = _FIELDS[field][0] if field in _FIELDS else _NAMES.get(field)
    return name or field.replace("_", " ")


def value_words(field: str, value: Any) -> str:
    """Return a field's stored value as the pages say it; nothing of one that is not set."""
    return "" if value is None or value == "" else _words_of(field)(value)


def _words_of(field: str) -> Callable[[Any], str]:
    if field in _FIELDS:
        return _FIELDS[field][1]
    return _KINDS.get(FIELDS[field].kind, _plain) if field in FIELDS else _plain
