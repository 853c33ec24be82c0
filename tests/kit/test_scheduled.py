"""assert_scheduled and refute_scheduled: what they match, and what they show where they do not."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import BaseModel

from tickerq_celery import CronTicker, TickerContext, TickerQ, TimeTicker
from tickerq_celery.errors import TickerValidationError, UnknownFunctionError
from tickerq_celery.functions.ticker_function import TickerFunction
from tickerq_celery.testing import TickerQTest

START = datetime(2027, 3, 1, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Greeting(BaseModel):
    name: str
    token: str = "t0p"


@pytest.fixture
def greet(shop: TickerQ) -> TickerFunction:
    @shop.function("Greet")
    def greet(context: TickerContext[Greeting]) -> None: ...

    return greet


def test_what_is_scheduled_is_found_by_what_is_given(tickerq: TickerQTest, greet: TickerFunction) -> None:
    tickerq.clock.set(START)
    ada = greet.schedule(Greeting(name="Ada"), delay=3600)
    bob = greet.schedule(Greeting(name="Bob"))

    def found(**given: object) -> list[object]:
        return [run.id for run in tickerq.assert_scheduled(greet, **given)]  # type: ignore[arg-type]

    assert found() == [ada.id, bob.id]
    assert found(request=Greeting(name="Ada")) == [ada.id]
    assert found(request={"name": "Ada", "token": "t0p"}) == found(request={"name": "Ada"}) == [ada.id]
    assert found(at=START + HOUR) == [ada.id]
    assert found(at=START) == [bob.id]
    assert found(at=START, within=HOUR) == [ada.id, bob.id]
    assert found(at=START + HOUR, request=Greeting(name="Ada")) == [ada.id]
    assert [run.id for run in tickerq.assert_scheduled("Greet")] == [ada.id, bob.id]


def test_a_moment_is_met_within_a_second_unless_the_test_says_otherwise(
    tickerq: TickerQTest, greet: TickerFunction
) -> None:
    tickerq.clock.set(START)
    greet.schedule(Greeting(name="Ada"))
    tickerq.assert_scheduled(greet, at=START + timedelta(seconds=1))
    tickerq.refute_scheduled(greet, at=START + timedelta(seconds=1.1))
    tickerq.assert_scheduled(greet, at=START + timedelta(seconds=1.1), within=2)
    tickerq.refute_scheduled(greet, at=START + timedelta(microseconds=1), within=0)


def test_a_call_with_its_arguments_is_what_is_scheduled(shop: TickerQ, tickerq: TickerQTest) -> None:
    @shop.function("Send")
    def send(user_id: int, subject: str = "Hi") -> None: ...

    three = send.s(3).schedule()
    tickerq.time_tickers.add(TimeTicker(send.s(user_id=4, subject="Ho")))
    assert [run.id for run in tickerq.assert_scheduled(send.s(user_id=3))] == [three.id]
    assert len(tickerq.assert_scheduled(send)) == 2
    tickerq.assert_scheduled(send, request={"user_id": 4, "subject": "Ho"})
    tickerq.refute_scheduled(send.s(5))
    tickerq.refute_scheduled(send.s(4))
    with pytest.raises(TickerValidationError, match="the call of the function is the request"):
        tickerq.refute_scheduled(send.s(5), request={"user_id": 4})


def test_a_function_of_another_application_is_known_by_what_is_scheduled(tickerq: TickerQTest) -> None:
    tickerq.time_tickers.add(TimeTicker("Elsewhere", request=[1]), allow_unknown=True)
    tickerq.assert_scheduled("Elsewhere", request=[1])
    tickerq.refute_scheduled("Elsewhere", request=[2])


def test_children_and_manual_occurrences_count_and_cron_tickers_do_not(
    tickerq: TickerQTest, greet: TickerFunction
) -> None:
    cron = tickerq.cron_tickers.add(
        CronTicker(function="Greet", expression="@daily", request=Greeting(name="Eve"))
    )
    tickerq.refute_scheduled(greet)
    tickerq.cron_tickers.run_now(cron.id)
    tickerq.assert_scheduled(greet, request=Greeting(name="Eve"))
    child = TimeTicker(function="Greet", request=Greeting(name="Bob"))
    greet.schedule(Greeting(name="Ada"), children=[child])
    [found] = tickerq.assert_scheduled(greet, request=Greeting(name="Bob"))
    assert found.parent_id is not None


def test_what_has_ended_or_was_taken_back_is_not_scheduled(
    tickerq: TickerQTest, greet: TickerFunction
) -> None:
    greet.schedule(Greeting(name="Ada"))
    tickerq.run_due()
    cancelled = greet.schedule(Greeting(name="Bob"), delay=60)
    tickerq.runs.cancel(cancelled.id)
    tickerq.time_tickers.delete(greet.schedule(Greeting(name="Eve"), delay=60).id)
    tickerq.refute_scheduled(greet)


def test_a_failure_shows_what_was_scheduled_and_no_secret(
    shop: TickerQ, tickerq: TickerQTest, greet: TickerFunction
) -> None:
    @shop.function("Other")
    def other() -> None: ...

    with pytest.raises(AssertionError, match=r"^no run of Greet is scheduled; nothing is scheduled$"):
        tickerq.assert_scheduled(greet)
    tickerq.clock.set(START)
    greet.schedule(Greeting(name="Bob", token="s3cret"), delay=3600)
    other.schedule(children=[TimeTicker(function="Other")])
    with pytest.raises(AssertionError) as raised:
        tickerq.assert_scheduled(greet, request=Greeting(name="Ada", token="s3cret"), at=START)
    assert str(raised.value).splitlines() == [
        "no run of Greet with request {'name': 'Ada', 'token': '•••'} at 2027-03-01T08:00:00+00:00 "
        "(within 0:00:01) is scheduled; scheduled are:",
        "  Greet, at 2027-03-01T09:00:00+00:00, request {'name': 'Bob', 'token': '•••'}",
        "  Other, at 2027-03-01T08:00:00+00:00",
        "  Other, after its parent",
    ]
    with pytest.raises(AssertionError) as refused:
        tickerq.refute_scheduled(greet)
    assert str(refused.value).splitlines() == [
        "runs of Greet are scheduled, and none should be; scheduled are:",
        "  Greet, at 2027-03-01T09:00:00+00:00, request {'name': 'Bob', 'token': '•••'}",
    ]


def test_a_long_list_is_cut(shop: TickerQ, tickerq: TickerQTest) -> None:
    @shop.function("Other")
    def other() -> None: ...

    tickerq.time_tickers.add_batch([TimeTicker(function="Other")] * 23)
    with pytest.raises(AssertionError, match="and 3 more"):
        tickerq.refute_scheduled(other)


def test_a_question_that_means_nothing_is_refused(tickerq: TickerQTest, greet: TickerFunction) -> None:
    with pytest.raises(UnknownFunctionError, match="did you mean Greet"):
        tickerq.refute_scheduled("Gret")
    with pytest.raises(TickerValidationError, match="name"):
        tickerq.refute_scheduled(greet, request={"nam": "Ada"})
    with pytest.raises(TickerValidationError, match="naive"):
        tickerq.refute_scheduled(greet, at=datetime(2027, 3, 1))  # noqa: DTZ001
