"""Scheduling time tickers: what is stored, and what is refused before anything is stored."""

import dataclasses
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from pydantic import BaseModel

from tests.integration.apps import enrol_worker, published, ticker_app
from tests.manual_clock import START, ManualClock
from tests.statements import functions
from tickerq_celery import TickerPriority, TickerQ, TickerStatus, TickerType, TimeTicker
from tickerq_celery.errors import (
    DuplicateTickerError,
    TickerError,
    TickerValidationError,
    UnknownFunctionError,
)
from tickerq_celery.functions.records import FunctionRecord

MINUTE = timedelta(minutes=1)

LATER = START + timedelta(hours=1)


class Welcome(BaseModel):
    email: str
    user_id: int


@pytest.fixture
def tickerq(store_url: str, namespace: str, clock: ManualClock) -> Iterator[TickerQ]:
    with ticker_app(store_url, namespace, clock, payload_limit=1_000) as made:

        @made.function("Send", retries=2, retry_intervals=[60, 300], queue="mail")
        def send(request: Welcome) -> None: ...

        @made.function("Any")
        def anything() -> None: ...

        yield made


def welcome(**fields: Any) -> TimeTicker:
    return TimeTicker(
        **{"function": "Send", "request": {"email": "a@b.c", "user_id": 7}, "execution_time": START, **fields}
    )


def count(tickerq: TickerQ) -> int:
    return len(tickerq.time_tickers.find())


def test_an_added_ticker_is_returned_as_it_is_stored(tickerq: TickerQ) -> None:
    at = datetime(2026, 1, 15, 14, 30, tzinfo=timezone(timedelta(hours=2)))
    run = tickerq.time_tickers.add(
        welcome(
            execution_time=at, description="Welcome a@b.c", retries=3, retry_intervals=[1, 2.5], tags=["eu"],
            priority=TickerPriority.HIGH, queue="q", unique_key="welcome-7",
            request=Welcome(email="a", user_id=1),
        )
    )  # fmt: skip
    assert tickerq.time_tickers.get(run.id) == run
    assert (run.type, run.status, run.function) == (TickerType.TIME_TICKER, TickerStatus.IDLE, "Send")
    assert run.execution_time == run.next_attempt_at == datetime(2026, 1, 15, 12, 30, tzinfo=START.tzinfo)
    assert (run.retries, run.retry_intervals, run.tags) == (
        3,
        (timedelta(seconds=1), timedelta(seconds=2.5)),
        ("eu",),
    )
    assert (run.description, run.priority, run.queue) == ("Welcome a@b.c", TickerPriority.HIGH, "q")
    assert run.request == {"email": "a", "user_id": 1}
    assert (run.created_at, run.updated_at, run.attempts) == (START, START, ())


def test_what_a_ticker_does_not_say_its_function_says(tickerq: TickerQ) -> None:
    run = tickerq.time_tickers.add(welcome())
    assert (run.retries, run.retry_intervals, run.queue) == (2, (MINUTE, 5 * MINUTE), "mail")
    assert tickerq.time_tickers.add(welcome(retries=0, retry_intervals=[])).retries == 0


@pytest.mark.parametrize("at", [None, START - timedelta(days=400), START])
def test_no_time_and_a_past_time_are_due_now(tickerq: TickerQ, at: datetime | None) -> None:
    run = tickerq.time_tickers.add(welcome(execution_time=at))
    assert run.next_attempt_at == START
    assert run.execution_time == (at or START)


def test_what_is_due_at_once_is_published_without_beat(tickerq: TickerQ) -> None:
    enrol_worker(tickerq)
    due = tickerq.time_tickers.add_batch([TimeTicker(function="Any"), TimeTicker(function="Any")])
    tickerq.time_tickers.add(TimeTicker(function="Any", execution_time=START + timedelta(seconds=1)))
    assert published(tickerq) == [run.id for run in due]
    assert {tickerq.time_tickers.get(run.id).status for run in due} == {TickerStatus.QUEUED}


NAIVE = datetime(2026, 1, 15, 12, 0)  # noqa: DTZ001 - what is refused
BEFORE_TIME = datetime.min.replace(tzinfo=timezone(timedelta(hours=14)))
REFUSED = [
    ({"execution_time": NAIVE}, "execution_time", "pass an aware one, such as datetime.now(UTC)"),
    ({"execution_time": "tomorrow"}, "execution_time", "pass a datetime"),
    ({"execution_time": BEFORE_TIME}, "execution_time", "range"),
    ({"function": ""}, "function", "must be non-empty"),
    ({"function": " Send"}, "function", "without leading or trailing whitespace"),
    ({"function": "x" * 201}, "function", "at most 200 characters, this has 201"),
    ({"function": 7}, "function", "pass a registered function, or its name"),
    ({"description": "x" * 501}, "description", "at most 500 characters"),
    ({"description": "nul\x00"}, "description", "NUL"),
    ({"description": "\ud800"}, "description", "surrogates"),
    ({"description": "\x1b[2J"}, "description", "control characters"),
    ({"function": "Send\nINFO run 7"}, "function", "control characters"),
    ({"unique_key": "a\x1b[2J"}, "unique_key", "control characters"),
    ({"retries": -1}, "retries", "from 0 to 1,000"),
    ({"retries": 1_001}, "retries", "from 0 to 1,000"),
    ({"retries": True}, "retries", "whole number"),
    ({"retries": 1.5}, "retries", "whole number"),
    ({"retry_intervals": [-1]}, "retry_intervals[0]", "seconds, from 0 s to 30 days"),
    ({"retry_intervals": [60, 2_592_001]}, "retry_intervals[1]", "seconds, from 0 s"),
    ({"retry_intervals": [float("nan")]}, "retry_intervals[0]", "seconds, from 0 s"),
    ({"retry_intervals": "60"}, "retry_intervals", "list of timedeltas or seconds"),
    ({"retry_intervals": 60}, "retry_intervals", "list of timedeltas or seconds"),
    ({"priority": 9}, "priority", "normal"),
    ({"queue": ""}, "queue", "must be non-empty"),
    ({"tags": "eu"}, "tags", "list of str"),
    ({"tags": ["eu", "x" * 51]}, "tags[1]", "at most 50 characters"),
    ({"tags": [""]}, "tags[0]", "must be non-empty"),
    ({"tags": [f"t{number}" for number in range(21)]}, "tags", "at most 20 tags"),
    ({"unique_key": "x" * 201}, "unique_key", "at most 200 characters"),
    ({"unique_key": ""}, "unique_key", "must be non-empty"),
    ({"namespace": "x" * 101}, "namespace", "at most 100 characters"),
    ({"request": {"email": "a"}}, "request.user_id", "Field required"),
    ({"request": {"email": "a", "user_id": "seven"}}, "request.user_id", "valid integer"),
    ({"request": {"email": "a" * 1_000, "user_id": 7}}, "request", "the limit is 1000"),
    ({"request": None}, "request", "needs one of type Welcome"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "field", "reason"), REFUSED, ids=lambda value: str(value)[:40])
@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_field_that_cannot_be_stored_is_named(
    tickerq: TickerQ, fields: dict[str, Any], field: str, reason: str
) -> None:
    with pytest.raises(TickerValidationError) as caught:
        tickerq.time_tickers.add(welcome(**fields))
    assert caught.value.field == field
    assert reason in str(caught.value)
    assert count(tickerq) == 0


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_the_longest_values_that_are_allowed_can_be_stored(tickerq: TickerQ) -> None:
    run = tickerq.time_tickers.add(
        TimeTicker(
            function="☃" * 200, description="☃" * 500, unique_key="☃" * 200, retries=1_000,
            execution_time=LATER,
            retry_intervals=[2_592_000] * 1_000, tags=[f"{n:☃>50}" for n in range(20)], queue="☃" * 200,
        ),
        allow_unknown=True,
    )  # fmt: skip
    assert tickerq.time_tickers.get(run.id) == run


def test_long_values_can_be_stored_on_each_database(tickerq: TickerQ) -> None:
    request = {"email": "\U0001f600" * 200, "user_id": 2**62}
    run = tickerq.time_tickers.add(
        welcome(
            description="\U0001f600" * 500,
            unique_key="\U0001f600" * 200,
            request=request,
            execution_time=LATER,
        )
    )
    assert tickerq.time_tickers.get(run.id) == run
    assert run.request == request


def test_one_bad_ticker_of_a_batch_stores_none(tickerq: TickerQ) -> None:
    enrol_worker(tickerq)
    with pytest.raises(TickerValidationError):
        tickerq.time_tickers.add_batch([welcome(), welcome(), welcome(retries=-1)])
    assert count(tickerq) == 0
    assert published(tickerq) == []


def test_a_batch_comes_back_in_its_order(tickerq: TickerQ) -> None:
    runs = tickerq.time_tickers.add_batch([welcome(description=f"{n}") for n in range(250)])
    assert [run.description for run in runs] == [f"{n}" for n in range(250)]
    assert tickerq.time_tickers.add_batch([]) == []


def test_what_is_no_ticker_is_refused(tickerq: TickerQ) -> None:
    with pytest.raises(TickerValidationError, match="pass a TimeTicker"):
        tickerq.time_tickers.add({"function": "Send"})  # type: ignore[arg-type]


def test_an_unknown_function_is_refused_unless_the_caller_insists(tickerq: TickerQ) -> None:
    with pytest.raises(UnknownFunctionError, match="allow_unknown=True") as caught:
        tickerq.time_tickers.add(TimeTicker(function="Unknown"))
    assert caught.value.function == "Unknown"
    assert count(tickerq) == 0
    run = tickerq.time_tickers.add(TimeTicker(function="Unknown", request=[1]), allow_unknown=True)
    assert tickerq.time_tickers.get(run.id).request == [1]


def test_a_function_that_any_worker_ever_registered_is_known(
    tickerq: TickerQ, store_url: str, namespace: str
) -> None:
    enrol_worker(tickerq)
    with ticker_app(store_url, namespace) as producer:
        run = producer.time_tickers.add(TimeTicker(function="Send", request={"email": "a@b.c", "user_id": 7}))
        assert (run.retries, run.retry_intervals, run.queue) == (2, (MINUTE, 5 * MINUTE), "mail")
        with pytest.raises(UnknownFunctionError):
            producer.time_tickers.add(TimeTicker(function="send"))


def test_a_function_of_another_namespace_is_not_known_here(tickerq: TickerQ, namespace: str) -> None:
    elsewhere = f"{namespace}-2"
    with pytest.raises(UnknownFunctionError):
        tickerq.time_tickers.add(welcome(namespace=elsewhere))
    core = tickerq.core
    record = FunctionRecord(
        name="Send", path="m:f", queue=None, priority=2, max_concurrency=None, on_lost="retry", retries=5,
        retry_intervals=(timedelta(seconds=9),), request_schema=None,
    )  # fmt: skip
    core.write(lambda tx: functions.register(tx.within(elsewhere), [record]))
    run = tickerq.time_tickers.add(welcome(namespace=elsewhere))
    assert (run.namespace, run.retries) == (elsewhere, 5)
    assert count(tickerq) == 0


def test_a_unique_key_is_taken_until_its_ticker_is_terminal(tickerq: TickerQ) -> None:
    first = tickerq.time_tickers.add(welcome(unique_key="k"))
    assert first.unique_key == "k"
    with pytest.raises(DuplicateTickerError, match="'k'") as caught:
        tickerq.time_tickers.add(welcome(unique_key="k"))
    assert caught.value.unique_key == "k"
    tickerq.time_tickers.add(welcome(unique_key="K"))
    tickerq.time_tickers.delete(first.id)
    tickerq.time_tickers.add(welcome(unique_key="k"))


@pytest.mark.parametrize("batch", [["k", "k"], ["a", "k"]])
def test_a_taken_key_refuses_the_whole_batch(tickerq: TickerQ, batch: list[str]) -> None:
    tickerq.time_tickers.add(welcome(unique_key="k"))
    with pytest.raises(DuplicateTickerError):
        tickerq.time_tickers.add_batch([welcome(unique_key=key) for key in batch])
    assert count(tickerq) == 1


def test_one_key_serves_two_namespaces_in_one_batch(tickerq: TickerQ, namespace: str) -> None:
    elsewhere = f"{namespace}-2"
    batch = [TimeTicker(function="Any", unique_key="k", namespace=each) for each in (None, elsewhere)]
    runs = tickerq.time_tickers.add_batch(batch, allow_unknown=True)
    assert [(run.namespace, run.unique_key) for run in runs] == [(namespace, "k"), (elsewhere, "k")]
    with pytest.raises(DuplicateTickerError):
        tickerq.time_tickers.add_batch(batch, allow_unknown=True)


def test_of_concurrent_adds_with_one_key_one_wins(tickerq: TickerQ) -> None:
    start = threading.Barrier(6)
    outcomes: list[object] = []

    def add() -> None:
        start.wait()
        try:
            outcomes.append(tickerq.time_tickers.add(welcome(unique_key="k", execution_time=LATER)))
        except TickerError as error:
            outcomes.append(error)

    threads = [threading.Thread(target=add) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["DuplicateTickerError"] * 5 + ["Run"]
    assert count(tickerq) == 1


def test_views_are_frozen(tickerq: TickerQ) -> None:
    for frozen in (welcome(), tickerq.time_tickers.add(welcome()), tickerq.time_tickers.find()):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(frozen, dataclasses.fields(frozen)[0].name, None)
