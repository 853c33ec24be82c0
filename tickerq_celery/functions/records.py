"""What the store keeps of a registered function, and a digest by which workers' definitions are compared."""

import functools
import inspect
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any

from tickerq_celery import validation
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
        text = json.dumps(compared, sort_keys=True, default=_seconds)
        return sha256(text.encode()).hexdigest()[:_DIGITS]


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
    """Return the digest of each function of a process, by name."""
    return {record.name: record.digest for record in function_records(registry)}


def _summary(body: Any) -> str | None:
    while isinstance(body, functools.partial):
        body = body.func
    lines = (inspect.getdoc(inspect.unwrap(body)) or "").strip().splitlines()
    return validation.storable(lines[0].strip(), _LONGEST_SUMMARY) if lines else None


def _seconds(value: timedelta) -> float:
    return value.total_seconds()
