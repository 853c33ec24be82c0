"""What the store keeps of a registered function, and how workers' definitions of it are compared."""

import functools
import inspect
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING, dataclass, fields
from datetime import timedelta
from hashlib import sha256
from typing import Any

from tickerq_celery import validation
from tickerq_celery.enums import OnLost, TickerPriority
from tickerq_celery.functions.definition import Function
from tickerq_celery.tickers.function_views import FunctionSettings

_LONGEST_SUMMARY = 200
# Enough for two definitions of one function.
_DIGITS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionRecord(FunctionSettings):
    """A function as a worker registered it, with the words of its row."""

    path: str
    priority: int = TickerPriority.NORMAL.value
    on_lost: str = OnLost.RETRY.value

    @property
    def digest(self) -> str:
        """What two definitions have in common whose runs are treated alike; texts do not count."""
        return _digest({name: getattr(self, name) for name in _FIELDS if name != "summary"})

    @property
    def definition(self) -> str:
        """What a worker's row says of it: its digest, and as JSON the settings that are not the defaults.

        Of the request's schema, which may be long, there is a digest.
        """
        shown = {name: getattr(self, name) for name in _FIELDS if name not in _NOT_SETTINGS}
        if self.request_schema is not None:
            shown["request_schema"] = _digest(self.request_schema)
        changed = {name: value for name, value in shown.items() if value != _DEFAULTS.get(name, MISSING)}
        return self.digest + json.dumps(changed, sort_keys=True, separators=(",", ":"), default=_seconds)


_NOT_SETTINGS = {"name", "summary"}
_FIELDS = tuple(each.name for each in fields(FunctionRecord))
_DEFAULTS: Mapping[str, Any] = {
    each.name: each.default for each in fields(FunctionRecord) if each.default is not MISSING
}
# What a record has of a function as it is.
_SAME = {each.name for each in fields(Function)} & {each.name for each in fields(FunctionSettings)} - {
    "rate_limit"
}


def digest_in(definition: str) -> str:
    """Return the digest that a definition begins with."""
    return definition[:_DIGITS]


def settings_in(definition: str) -> Mapping[str, Any] | None:
    """Return all settings of a definition, as JSON has them: durations in seconds; None where it has none.

    Rows of workers that were of an earlier version have the digest alone.
    """
    text = definition[_DIGITS:]
    if not text:
        return None
    shown = {name: value for name, value in _DEFAULTS.items() if name not in _NOT_SETTINGS}
    return {**shown, "retry_intervals": [], **json.loads(text)}


def function_records(registry: Iterable[Function]) -> Iterator[FunctionRecord]:
    """Yield what the store keeps of each function of a process."""
    for function in registry:
        yield FunctionRecord(
            **{name: getattr(function, name) for name in _SAME},
            path=function.signature.path,
            summary=_summary(function.body),
            priority=int(function.priority),
            rate_limit=None if function.rate_limit is None else str(function.rate_limit),
            on_lost=function.on_lost.value,
            request_schema=function.expected_request.schema,
        )


def definitions_of(registry: Iterable[Function]) -> Mapping[str, str]:
    """Return the definition of each function of a process, by name."""
    return {record.name: record.definition for record in function_records(registry)}


def _summary(body: Any) -> str | None:
    while isinstance(body, functools.partial):
        body = body.func
    lines = (inspect.getdoc(inspect.unwrap(body)) or "").strip().splitlines()
    return validation.storable(lines[0].strip(), _LONGEST_SUMMARY) if lines else None


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, default=_seconds)
    return sha256(text.encode()).hexdigest()[:_DIGITS]


def _seconds(value: timedelta) -> float:
    return value.total_seconds()
