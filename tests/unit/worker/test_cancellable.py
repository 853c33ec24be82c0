import asyncio

import pytest

from tests.unit.worker.asked import Asked
from tickerq_celery.errors import TickerCancelled
from tickerq_celery.worker.event_loop import cancellable

CANCELLED, SPARED, QUIET = (
    lambda: Asked(may_be_requested=True, answer=True),
    lambda: Asked(may_be_requested=True, answer=False),
    lambda: Asked(may_be_requested=False, answer=True),
)


async def for_ever() -> None:
    await asyncio.Event().wait()


def test_a_coroutine_that_lets_the_cancellation_out_was_cancelled() -> None:
    with pytest.raises(TickerCancelled):
        asyncio.run(cancellable(for_ever(), CANCELLED()))


def test_a_coroutine_can_clean_up_and_return() -> None:
    async def body() -> str:
        try:
            await for_ever()
        except asyncio.CancelledError:
            return "cleaned up"
        return "never"

    assert asyncio.run(cancellable(body(), CANCELLED())) == "cleaned up"


def test_a_coroutine_s_own_error_stays_its_own() -> None:
    async def body() -> None:
        try:
            await for_ever()
        finally:
            raise ValueError("in the clean-up")

    with pytest.raises(ValueError, match="in the clean-up"):
        asyncio.run(cancellable(body(), CANCELLED()))


def test_no_row_is_read_while_there_is_no_news() -> None:
    async def body() -> int:
        await asyncio.sleep(0)
        return 7

    control = QUIET()
    assert asyncio.run(cancellable(body(), control)) == 7
    assert control.asked == 0


def test_a_coroutine_that_cancels_itself_was_not_cancelled_from_outside() -> None:
    async def body() -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancellable(body(), SPARED()))
