"""In which settings live workers' definitions of a function differ, in words."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from tickerq_celery import TickerPriority
from tickerq_celery.enums import OnLost
from tickerq_celery.views import SettingDifference, SettingValue
from tickerq_dashboard.show.durations import exact
from tickerq_dashboard.show.words import intervals, json_text
from tickerq_dashboard.ticker_fields import said_of

_MOST_NODES = 6


def setting_words(difference: SettingDifference) -> str:
    """Return the name of a setting as the page of a function says it."""
    return _SETTINGS.get(difference.setting, (difference.setting.replace("_", " "), json_text))[0]


def value_words(value: SettingValue, difference: SettingDifference) -> str:
    """Return a value of a setting in words, with the workers that have it: "3 on worker-1, worker-2"."""
    said = _SETTINGS.get(difference.setting, ("", json_text))[1](value.value)
    if not value.nodes:
        return f"{said} as registered last"
    more = len(value.nodes) - _MOST_NODES
    shown = ", ".join(value.nodes[:_MOST_NODES])
    return f"{said} on {shown} and {more:,} more" if more > 0 else f"{said} on {shown}"


def _or(none: str, say: Callable[[Any], str]) -> Callable[[Any], str]:
    return lambda value: none if value is None else say(value)


def _seconds(value: float) -> str:
    return exact(timedelta(seconds=value))


# The name and the words for a value of each setting, by its name in a definition.
_SETTINGS: Mapping[str, tuple[str, Callable[[Any], str]]] = {
    "path": ("Code", str),
    "queue": ("Queue", _or("as Celery routes it", str)),
    "priority": ("Priority", lambda value: said_of(TickerPriority(value), "priority")),
    "max_concurrency": ("At once", _or("no limit", str)),
    "max_concurrency_per_key": ("At once per key", _or("no limit", str)),
    "rate_limit": ("Rate limit", _or("none", str)),
    "retries": ("Retries", str),
    "retry_intervals": (
        "Waits between",
        lambda value: intervals([timedelta(seconds=each) for each in value]) or "30 s",
    ),
    "timeout": ("Timeout", _or("none", _seconds)),
    "hard_timeout": ("Hard timeout", _or("none", _seconds)),
    "on_lost": ("If its worker dies", lambda value: said_of(OnLost(value), "on_lost")),
    # Of the schema there is a digest, which says nothing to people.
    "request_schema": ("Payload schema", _or("anything", lambda value: f"schema {value[:6]}")),
}
