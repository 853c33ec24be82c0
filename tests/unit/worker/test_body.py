"""How a function's body is called: with what it takes, here or on the event loop."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from tests.inner import make_function
from tests.unit.worker.asked import Asked
from tickerq_celery import TickerContext
from tickerq_celery.enums import TickerType
from tickerq_celery.worker.body import call_body

UNCANCELLED: Any = Asked(may_be_requested=False, answer=False)


async def nothing() -> None:
    pass


def context(request: int) -> TickerContext[int]:
    return TickerContext(
        id=UUID(int=1),
        parent_id=None,
        type=TickerType.TIME_TICKER,
        function_name="f",
        retry_count=0,
        is_late=False,
        scheduled_for=datetime(2026, 1, 1, tzinfo=UTC),
        request=request,
    )


@pytest.mark.parametrize("is_async", [False, True])
def test_a_body_is_called_with_what_it_takes(is_async: bool) -> None:
    seen: list[object] = []

    def takes_context(context: TickerContext[int]) -> None:
        seen.append(context.request)

    def takes_request(request: int) -> None:
        seen.append(request)

    async def in_a_loop(request: int) -> None:
        seen.append(request)

    def wrapped(request: int) -> Any:
        return in_a_loop(request)

    def takes_both(context: TickerContext, *, request: int) -> None:
        seen.append((context.request, request))

    for body in (in_a_loop, wrapped) if is_async else (takes_context, takes_request, takes_both):
        call_body(make_function(body, "f"), context(7), 7, control=UNCANCELLED, at_end=nothing)
    assert seen == ([7, 7] if is_async else [7, 7, (7, 7)])


def test_a_body_that_cancels_itself_fails_like_any_other() -> None:
    async def cancels_itself() -> None:
        raise asyncio.CancelledError

    def runs_a_loop_of_its_own() -> None:
        asyncio.run(cancels_itself())

    for body in (cancels_itself, runs_a_loop_of_its_own):
        with pytest.raises(RuntimeError, match="CancelledError") as caught:
            call_body(make_function(body, "f"), context(7), 7, control=UNCANCELLED, at_end=nothing)
        assert isinstance(caught.value.__cause__, asyncio.CancelledError)
