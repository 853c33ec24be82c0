"""Filters of runs to and from JSON, for jobs that use them later, in another process."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from enum import Enum
from functools import cache
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from tickerq_celery.errors import TickerValidationError
from tickerq_celery.tickers.criteria import RunFilter
from tickerq_celery.validation import identifier, member


def filter_as_json(wanted: RunFilter) -> dict[str, Any]:
    """Return what a filter asks for; what may be anything is not there."""
    return {name: _plain(value) for name, value in wanted.asked.items()}


def filter_from_json(stored: Mapping[str, Any]) -> RunFilter:
    """Return the filter that was stored.

    Raises:
        TickerValidationError: This version has no such filter, or no such value of it.
    """
    types = _types()
    found: dict[str, Any] = {}
    for name, value in stored.items():
        if name not in types:
            raise TickerValidationError(name, value, "this version has no such filter")
        try:
            found[name] = _as(types[name], value)
        except (LookupError, TypeError, ValueError) as error:
            raise TickerValidationError(name, value, f"this version cannot read it: {error}") from error
    return RunFilter(**found)


@cache
def _types() -> dict[str, Any]:
    return get_type_hints(RunFilter)


def _plain(value: Any) -> Any:
    if isinstance(value, RunFilter):
        return filter_as_json(value)
    if isinstance(value, Enum):
        return value.name.lower()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Collection) and not isinstance(value, str):
        return sorted(_plain(each) for each in value)
    return value


def _as(kind: Any, value: Any) -> Any:
    """Return a value of JSON as the type of its field.

    Raises:
        TypeError: It is of another one.
        ValueError: The type has no such value.
    """
    if get_origin(kind) in (Union, UnionType):
        return _as(_alternative(kind, value), value)
    if isinstance(value, list):
        (kind_of_each,) = get_args(kind)
        return tuple(_as(kind_of_each, each) for each in value)
    if kind in _READ:
        return _READ[kind](value)
    if issubclass(kind, Enum):
        return member(kind.__name__, value, kind)
    if not isinstance(value, kind):
        raise TypeError(f"it is no {kind.__name__}")
    return value


_READ: Mapping[type[Any], Callable[[Any], Any]] = {
    RunFilter: filter_from_json,
    datetime: datetime.fromisoformat,
    timedelta: lambda seconds: timedelta(seconds=seconds),
    UUID: identifier,
}


def _alternative(kind: Any, value: Any) -> Any:
    """Return which of several types a value is of: a collection where it is a list."""
    those = [each for each in get_args(kind) if each is not type(None)]
    lists = [each for each in those if get_origin(each) is not None]
    others = [each for each in those if get_origin(each) is None]
    return (lists if isinstance(value, list) else others)[0]
