"""What the store keeps of a registered function, and how workers' definitions of it are compared."""

import functools
import inspect
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from datetime import timedelta
from hashlib import sha256
from typing import Any

from tickerq_celery import validation
from tickerq_celery.enums import OnLost, TickerPriority
from tickerq_celery.functions.definition import Function

_LONGEST_SUMMARY = 200
# Enough for two definitions of one function.
_DIGITS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionRecord:
    """A function as a worker registered it; ``summary`` is the first line of its docstring."""

    name: str
    path: str
    queue: str | None
    priority: int
    max_concurrency: int | None
    on_lost: str
    retries: int
    retry_intervals: tuple[timedelta, ...]
    request_schema: Any
    max_concurrency_per_key: int | None = 1
    rate_limit: str | None = None
    timeout: timedelta | None = None
    hard_timeout: timedelta | None = None
    summary: str | None = None

    @property
    def digest(self) -> str:
        """What two definitions have in common whose runs are treated alike; texts do not count."""
        compared = {name: value for name, value in asdict(self).items() if name != "summary"}
        return _digest(compared)

    @property
    def definition(self) -> str:
        """What a worker's row says of it: its digest, and as JSON the settings that are not the defaults.

        Of the request's schema, which may be long, there is a digest.
        """
        shown = {name: value for name, value in asdict(self).items() if name not in _NOT_SETTINGS}
        if self.request_schema is not None:
            shown["request_schema"] = _digest(self.request_schema)
        changed = {name: value for name, value in shown.items() if value != _DEFAULTS.get(name, MISSING)}
        return self.digest + json.dumps(changed, sort_keys=True, separators=(",", ":"), default=_seconds)


_NOT_SETTINGS = {"name", "summary"}
_DEFAULTS: Mapping[str, Any] = {
    "queue": None,
    "priority": int(TickerPriority.NORMAL),
    "max_concurrency": None,
    "on_lost": OnLost.RETRY.value,
    "retries": 0,
    "retry_intervals": (),
    "request_schema": None,
    **{each.name: each.default for each in fields(FunctionRecord) if each.default is not MISSING},
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
            name=function.name,
            path=function.signature.path,
            summary=_summary(function.body),
            queue=function.queue,
            priority=int(function.priority),
            max_concurrency=function.max_concurrency,
            max_concurrency_per_key=function.max_concurrency_per_key,
            rate_limit=None if function.rate_limit is None else str(function.rate_limit),
            on_lost=function.on_lost.value,
            retries=function.retries,
            retry_intervals=function.retry_intervals,
            timeout=function.timeout,
            hard_timeout=function.hard_timeout,
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
