"""Views as plain JSON values: the one form that the command line and the archive write them in."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, timedelta
from enum import Enum, IntEnum
from functools import cache
from inspect import getmembers
from typing import Any
from uuid import UUID

from tickerq_celery.errors import UnreadableRequestError
from tickerq_celery.tickers.views import Cron, Run

# How a request and a chain are stored.
_STORED = frozenset({"stored_request", "chain"})
# Of requests and chains there is what people may see; the others are runs that a field has already.
_TWICE = frozenset({"request", "shown_request", "children", "head", "runs"})


# In this order: a member of an enum may be a number or a text as well.
_SCALARS: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    (IntEnum, lambda value: value.name.lower()),
    (Enum, lambda value: value.value),
    (str | int | float | None, lambda value: value),
    (date, lambda value: value.isoformat()),
    (timedelta, timedelta.total_seconds),
    (UUID, str),
)


def as_json(value: object) -> Any:
    """Return a value as JSON has it: an object with the fields and properties of a view.

    A moment is an ISO 8601 text in its zone, which is UTC for all that the store holds, a duration a number
    of seconds, a UUID its text, a member of an enum its word in lower case. Requests are as people may see
    them: what the setting ``redact`` names is masked.
    """
    for kind, written in _SCALARS:
        if isinstance(value, kind):
            return written(value)
    if is_dataclass(value) and not isinstance(value, type | Collection):
        return _object(value)
    if isinstance(value, Mapping):
        return {str(as_json(key)): as_json(each) for key, each in value.items()}
    if isinstance(value, Collection):
        return [as_json(each) for each in value]
    raise TypeError(f"no JSON for {type(value).__name__}")


def fields_of(view: Any) -> dict[str, Any]:
    """Return the fields of a view as JSON has them, without its request and its chain."""
    return {each.name: as_json(getattr(view, each.name)) for each in fields(view) if each.name not in _STORED}


def _object(view: Any) -> dict[str, Any]:
    found = fields_of(view)
    if isinstance(view, Run | Cron):
        found.update(_unpacked(view))
    for name in _properties(view.__class__):
        found[name] = as_json(getattr(view, name))
    return found


@cache
def _properties(kind: Any) -> tuple[str, ...]:
    """Return what a view derives from its fields, without what would be there twice."""
    found = getmembers(kind, lambda member: isinstance(member, property))
    return tuple(name for name, _ in found if name not in _TWICE and not name.startswith("_"))


def _unpacked(view: Run | Cron) -> dict[str, Any]:
    """Return the request and the chain as people may see them, or why they cannot be read."""
    found: dict[str, Any] = {"request": None, "request_error": None}
    try:
        found["request"] = view.shown_request
        if isinstance(view, Cron):
            # A child's request and its task's arguments, masked like the request itself.
            found["children"] = view.stored_request.codec.shown(as_json(view.children))
    except UnreadableRequestError as error:
        found["request_error"] = str(error)
    return found
