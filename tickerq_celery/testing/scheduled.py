"""Which scheduled runs a test means, and the text that shows what was scheduled instead."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from tickerq_celery import validation
from tickerq_celery.enums import HoldReason
from tickerq_celery.payload.codec import LARGEST_REQUEST
from tickerq_celery.payload.expected_request import ExpectedRequest
from tickerq_celery.runtime.core import Core
from tickerq_celery.tickers.call import Call, FunctionLike, named
from tickerq_celery.tickers.views import Run

MOST_SHOWN = 20


class NotGiven(Enum):
    """What a test does not say, as None is a request, too."""

    NOT_GIVEN = "not given"


NOT_GIVEN: Final = NotGiven.NOT_GIVEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a test asks for: a function's runs, those with this request, those around this moment."""

    function: str
    request: object = NOT_GIVEN
    at: datetime | None = None
    within: timedelta = timedelta(seconds=1)
    shown_request: object = None

    def fits(self, run: Run) -> bool:
        """Return True if a run is one of those."""
        return (
            run.function == self.function
            and (self.request is NOT_GIVEN or run.request == self.request)
            and (self.at is None or _is_near(run.execution_time, self.at, self.within))
        )

    def __str__(self) -> str:
        request = "" if self.request is NOT_GIVEN else f" with request {self.shown_request!r}"
        at = "" if self.at is None else f" at {self.at.isoformat()} (within {self.within})"
        return f"{self.function}{request}{at}"


def wanted_of(
    core: Core,
    function: FunctionLike,
    *,
    request: object,
    at: datetime | None,
    within: timedelta | float,
) -> Wanted:
    """Return what a test asks for, with the request as plain JSON values.

    Raises:
        TickerValidationError: The request does not fit the function, or stands beside a call; or ``at`` is
            naive.
    """
    found, of_call = named(function, None if request is NOT_GIVEN else request)
    name = validation.function(found)
    known = core.registry.get(name)
    expected = ExpectedRequest(function=name) if known is None else known.expected_request
    given = of_call if isinstance(function, Call) else request
    plain = given if given is NOT_GIVEN else _plain(expected, given)
    return Wanted(
        function=name,
        request=plain,
        shown_request=core.codec.shown(plain),
        at=None if at is None else validation.moment("at", at),
        within=validation.duration("within", within, least=timedelta(0), most=timedelta.max),
    )


def listed(runs: Sequence[Run]) -> str:
    """Return one line for each run, for people; what the setting ``redact`` names is masked."""
    if not runs:
        return "nothing is scheduled"
    lines = [f"  {line}" for line in map(_line, runs[:MOST_SHOWN])]
    more = [f"  and {len(runs) - MOST_SHOWN} more"] if len(runs) > MOST_SHOWN else []
    return "\n".join(["scheduled are:", *lines, *more])


def _line(run: Run) -> str:
    parts: Iterable[str | None] = (
        run.function,
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
