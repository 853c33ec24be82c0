"""A user's tests, with the kit."""

from datetime import UTC, datetime, timedelta
from typing import assert_type

from tickerq_celery import Run, TickerContext, ticker_function
from tickerq_celery.testing import TickerQTest


@ticker_function("Send")
def send(user_id: int) -> None:
    """Send nothing."""


def test_a_month_of_it(tickerq: TickerQTest) -> None:
    tickerq.clock.set(datetime(2030, 1, 1, tzinfo=UTC))
    tickerq.clock.advance(days=31)
    assert_type(tickerq.run_due(beat_was_down=True), list[Run])
    assert_type(tickerq.assert_scheduled("Send", at=tickerq.clock.now()), list[Run])
    tickerq.assert_scheduled(send.s(user_id=3))
    tickerq.refute_scheduled(send, within=timedelta(minutes=1))
    assert_type(tickerq.run_seeders(), list[str])
    tickerq.refute_scheduled(send.s(user_id=3))
    assert_type(TickerContext.for_test(3), TickerContext[int])

    tickerq.clock.set("2030-01-01")  # refused: arg-type | reportArgumentType
    tickerq.clock.advance(day=31)  # refused: call-arg | reportCallIssue
    tickerq.run_due(beat=False)  # refused: call-arg | reportCallIssue
    tickerq.assert_scheduled(5)  # refused: arg-type | reportArgumentType
    tickerq.assert_scheduled("Send", when=3)  # refused: call-arg | reportCallIssue


def test_a_context_of_its_own() -> None:
    context = TickerContext.for_test(3, retry_count=1)
    assert_type(context, TickerContext[int])
    assert_type(context.request, int)

    TickerContext.for_test(3, retrys=1)  # refused: call-arg | reportCallIssue
