"""The clock of a test."""

from datetime import UTC, datetime, timedelta

import pytest

from tickerq_celery import TickerQ
from tickerq_celery.clock import SystemClock
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.testing import MovableClock, TickerQTest

START = datetime(2027, 3, 1, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_it_goes_with_the_systems_and_stays_ahead_of_it() -> None:
    clock = MovableClock()
    before = SystemClock().now()
    clock.advance(hours=1)
    assert before + HOUR <= clock.now() <= SystemClock().now() + HOUR


def test_it_stands_once_it_is_set_and_only_advances() -> None:
    clock = MovableClock()
    clock.set(START)
    assert clock.now() == clock.sql_literal() == clock.now() == START
    clock.advance(days=1, minutes=5)
    assert clock.now() == START + timedelta(days=1, minutes=5)


def test_its_seconds_never_go_back() -> None:
    clock = MovableClock()
    first = clock.monotonic()
    clock.advance(hours=1)
    second = clock.monotonic()
    clock.set(START)
    assert first + 3600 <= second <= clock.monotonic()


def test_what_cannot_be_meant_is_refused() -> None:
    clock = MovableClock()
    with pytest.raises(TickerValidationError, match="naive"):
        clock.set(datetime(2027, 3, 1))  # noqa: DTZ001
    with pytest.raises(TickerValidationError, match="time does not go back"):
        clock.advance(days=-1)
    clock.set(START)
    with pytest.raises(TickerValidationError, match="does not go back: the clock is at 2027-03"):
        clock.set(START - HOUR)
    clock.set(START)
    with pytest.raises(TypeError):
        clock.advance(fortnights=1)  # type: ignore[call-arg]


def test_a_replay_ends_where_it_began_or_where_its_block_has_come_to() -> None:
    clock = MovableClock()
    clock.set(START)
    with clock.replay() as set_clock:
        set_clock(START - HOUR)
        clock.advance(minutes=30)
        assert clock.now() == START - HOUR / 2
    assert clock.now() == START
    with clock.replay():
        clock.advance(hours=2)
    assert clock.now() == START + 2 * HOUR


@pytest.mark.parametrize("first", ["advance", "run_due"])
def test_what_has_begun_is_not_begun_anew_when_the_clock_is_set(
    shop: TickerQ, request: pytest.FixtureRequest, first: str
) -> None:
    @shop.function("Digest", cron="0 9 * * *")
    def digest() -> None: ...

    tickerq: TickerQTest = request.getfixturevalue("tickerq")
    [seeded] = tickerq.cron_tickers.find()
    if first == "advance":
        tickerq.clock.advance(seconds=1)
    else:
        tickerq.run_due()
    tickerq.clock.set(tickerq.clock.now() + timedelta(days=2))
    assert [cron.id for cron in tickerq.cron_tickers.find()] == [seeded.id]
    assert len(tickerq.run_due()) == 2


@pytest.mark.parametrize("year", [2001, 2150])
def test_a_test_may_take_place_at_any_time(shop: TickerQ, request: pytest.FixtureRequest, year: int) -> None:
    @shop.function("Digest", cron="0 9 * * *")
    def digest() -> None: ...

    tickerq: TickerQTest = request.getfixturevalue("tickerq")
    [seeded] = tickerq.cron_tickers.find()
    tickerq.clock.set(datetime(year, 3, 1, 8, tzinfo=UTC))
    [again] = tickerq.cron_tickers.find()
    assert seeded.next_run_at != again.next_run_at == datetime(year, 3, 1, 9, tzinfo=UTC)
    tickerq.clock.set(datetime(year, 3, 3, 8, tzinfo=UTC))
    assert len(tickerq.run_due()) == 2
