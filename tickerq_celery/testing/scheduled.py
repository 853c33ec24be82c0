"""Which scheduled runs a test means, and the text that shows what was scheduled instead."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Final

from tickerq_celery import validation
from tickerq_celery.broker.plain_json import plain
from tickerq_celery.enums import HoldReason, TickerKind
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.payload.codec import LARGEST_REQUEST
from tickerq_celery.payload.expected_request import ExpectedRequest
from tickerq_celery.payload.redaction import discreet
from tickerq_celery.runtime.core import Core
from tickerq_celery.tickers.call import Call, FunctionLike, named
from tickerq_celery.tickers.celery_task import TaskLike, checked_task, is_task, named_task
from tickerq_celery.tickers.views import Run

MOST_SHOWN = 20


class NotGiven(Enum):
    """What a test does not say, as None is a request, too."""

    NOT_GIVEN = "not given"


NOT_GIVEN: Final = NotGiven.NOT_GIVEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a test asks for: the runs of a function or task, those with this request, around this moment.

    A ``kind`` of None is that of any run of this name. Of a task's options none is asked for.
    """

    function: str
    kind: TickerKind | None = None
    request: object = NOT_GIVEN
    at: datetime | None = None
    within: timedelta = timedelta(seconds=1)
    shown_request: object = None

    def fits(self, run: Run) -> bool:
        """Return True if a run is one of those."""
        return (
            run.function == self.function
            and self.kind in (None, run.kind)
            and (self.request is NOT_GIVEN or _given(run, self.kind) == self.request)
            and (self.at is None or _is_near(run.execution_time, self.at, self.within))
        )

    def __str__(self) -> str:
        request = "" if self.request is NOT_GIVEN else f" with request {self.shown_request!r}"
        at = "" if self.at is None else f" at {self.at.isoformat()} (within {self.within})"
        return f"{self.function}{request}{at}"


def wanted_of(
    core: Core,
    function: FunctionLike | TaskLike,
    *,
    request: object,
    at: datetime | None,
    within: timedelta | float,
) -> Wanted:
    """Return what a test asks for, with the request as plain JSON values.

    Raises:
        TickerValidationError: The request does not fit the function, or stands beside a call or a task; or
            ``at`` is naive.
    """
    named_or_called = (
        _task_of(function, request) if is_task(function) else _function_of(core, function, request)
    )
    return replace(
        named_or_called,
        shown_request=core.codec.shown(named_or_called.request),
        at=None if at is None else validation.moment("at", at),
        within=validation.duration("within", within, least=timedelta(0), most=timedelta.max),
    )


def _task_of(task: object, request: object) -> Wanted:
    if request is not NOT_GIVEN:
        reason = "a Celery task is given arguments: pass a signature, task.s(…)"
        raise TickerValidationError("request", discreet(["request"], request), reason)
    found = named_task(task, args=(), kwargs={}, options={})
    given = (
        {"args": list(found.args), "kwargs": dict(found.kwargs)} if isinstance(task, Mapping) else NOT_GIVEN
    )
    return Wanted(
        function=checked_task(found.task),
        kind=TickerKind.CELERY_TASK,
        request=given if given is NOT_GIVEN else plain(given),
    )


def _function_of(core: Core, function: Any, request: object) -> Wanted:
    found, of_call = named(function, None if request is NOT_GIVEN else request)
    name = validation.function(found)
    known = core.registry.get(name)
    expected = ExpectedRequest(function=name) if known is None else known.expected_request
    given = of_call if isinstance(function, Call) else request
    return Wanted(function=name, request=given if given is NOT_GIVEN else _plain(expected, given))


def _given(run: Run, kind: TickerKind | None) -> object:
    """Return the request of a run, of a task that is asked for its arguments only."""
    if kind is not TickerKind.CELERY_TASK:
        return run.request
    return {name: run.request[name] for name in ("args", "kwargs")}


def listed(runs: Sequence[Run]) -> str:
    """Return one line for each run, for people; what the setting ``redact`` names is masked."""
    if not runs:
        return "nothing is scheduled"
    lines = [f"  {line}" for line in map(_line, runs[:MOST_SHOWN])]
    more = [f"  and {len(runs) - MOST_SHOWN} more"] if len(runs) > MOST_SHOWN else []
    return "\n".join(["scheduled are:", *lines, *more])


def _line(run: Run) -> str:
    parts: Iterable[str | None] = (
        f"Celery task {run.function}" if run.kind is TickerKind.CELERY_TASK else run.function,
        "after its parent" if run.execution_time is None else f"at {run.execution_time.isoformat()}",
        None if run.stored_request.packed.data is None else f"request {run.shown_request!r}",
        None if run.held_for in {None, HoldReason.PARENT} else f"held for {run.held_for.value}",
        None if run.retry_count == 0 else f"after {run.retry_count} retries",
    )
    return ", ".join(part for part in parts if part is not None)


def _plain(expected: ExpectedRequest, request: object) -> object:
    encoded = None if request is None else expected.encode(request, limit=LARGEST_REQUEST)
    return None if encoded is None else json.loads(encoded)


def _is_near(moment: datetime | None, at: datetime, within: timedelta) -> bool:
    return moment is not None and abs(moment - at) <= within
