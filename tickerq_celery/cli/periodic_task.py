"""Periodic tasks of another beat, and the tickers of ticker functions that do the same."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tickerq_celery import validation
from tickerq_celery.functions.binding import by_name
from tickerq_celery.functions.definition import Function
from tickerq_celery.tickers.cron_rows import short_key
from tickerq_celery.tickers.inputs import CronTicker, TimeTicker

KEY_PREFIX = "import:"


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodicTask:
    """What another beat would publish: at the instants of ``expression``, or once, ``at`` a moment.

    Instants before ``start_at`` and after ``end_at`` do not count. ``left_out`` names what of it a
    ticker cannot hold; ``flaw`` says why it cannot be imported.
    """

    name: str
    task: str
    expression: str | None = None
    at: datetime | None = None
    time_zone: str | None = None
    start_at: datetime | None = None
    end_at: datetime | None = None
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    queue: str | None = None
    description: str | None = None
    is_enabled: bool = True
    left_out: tuple[str, ...] = ()
    flaw: str | None = None

    def key(self, source: str) -> str:
        """Return the key under which it is imported once from a source."""
        return short_key(f"{KEY_PREFIX}{source}:{self.name}")


def ticker_of(
    periodic: PeriodicTask, *, key: str, functions: Mapping[str, Function], named: Mapping[str, str]
) -> CronTicker | TimeTicker:
    """Return the ticker that does what a periodic task does.

    Its function is the one that ``named`` has for the task, else the one of the task's name or of the last
    part of that name.

    Raises:
        ValueError: There is none; the text says why.
    """
    if periodic.flaw is not None:
        raise ValueError(periodic.flaw)
    function = functions[_function_of(periodic.task, functions, named)]
    shared: dict[str, Any] = {
        "function": function.name,
        "request": _request_of(periodic, function),
        "queue": periodic.queue,
        "description": (periodic.description or periodic.name)[: validation.LONGEST_DESCRIPTION],
    }
    if periodic.at is not None:
        if not periodic.is_enabled:
            raise ValueError("it is disabled, and a time ticker cannot be")
        return TimeTicker(execution_time=periodic.at, unique_key=key, **shared)
    if periodic.expression is None:
        raise ValueError("it has no schedule")
    return CronTicker(
        expression=periodic.expression,
        time_zone=periodic.time_zone,
        start_at=periodic.start_at,
        end_at=periodic.end_at,
        is_enabled=periodic.is_enabled,
        **shared,
    )


def _function_of(task: str, functions: Collection[str], named: Mapping[str, str]) -> str:
    last = task.rpartition(".")[2]
    for name in [named[task]] if task in named else [task, last]:
        if name in functions:
            return name
    wanted = named.get(task, f"{task} or {last}")
    raise ValueError(f"no ticker function is named {wanted}: register one, or pass --function {task}=NAME")


def _request_of(periodic: PeriodicTask, function: Function) -> object:
    """Return one JSON value for the arguments: the keywords, or the only positional one.

    For plain parameters it is the object of all of them, by name.
    """
    if function.signature.parameters is not None:
        return by_name(function.name, function.signature, periodic.args, periodic.kwargs) or None
    if periodic.args and (periodic.kwargs or len(periodic.args) > 1):
        raise ValueError("its arguments are no single request: give it keyword arguments only")
    return periodic.args[0] if periodic.args else (dict(periodic.kwargs) or None)
