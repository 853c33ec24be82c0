"""What newcomers got wrong and were not helped with, each by its number in the first list of such inputs."""

from collections.abc import Callable, Iterator
from typing import Any
from weakref import WeakKeyDictionary

import pytest
from celery import Celery, _state
from pydantic import BaseModel

from tests.integration.apps import ticker_app
from tests.manual_clock import ManualClock
from tickerq_celery import TickerPriority, TickerQ, TickerStatus, TimeTicker, ticker_function
from tickerq_celery.errors import TickerError

pytestmark = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


class Greeting(BaseModel):
    name: str
    times: int


@pytest.fixture(autouse=True)
def _hooks_of_this_test_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_state, "_on_app_finalizers", set(_state._on_app_finalizers))
    monkeypatch.setattr(TickerQ, "_of_app", WeakKeyDictionary())


def body(greeting: Greeting) -> None: ...


@pytest.fixture
def tickerq(store_url: str, namespace: str, clock: ManualClock) -> Iterator[TickerQ]:
    before = _state.default_app, _state._tls.current_app
    with ticker_app(store_url, namespace, clock) as made:
        made.app.set_current()
        yield made
    _state.set_default_app(before[0])
    _state._set_current_app(before[1])


WRONG: dict[str, tuple[Callable[[TickerQ, Any], object], str]] = {
    "21 two bad fields of a request": (
        lambda tickerq, say_hello: say_hello.schedule({"name": 3, "times": "x"}),
        "request.name: Input should be a valid string (got 3); "
        "request.times: Input should be a valid integer, unable to parse string as an integer (got 'x')",
    ),
    "58 a misspelt option": (
        lambda tickerq, say_hello: ticker_function("Other", retrys=3),  # type: ignore[call-overload]
        "retrys: a function has no such option: did you mean retries? (got 3)",
    ),
    "67 a misspelt keyword of schedule": (
        lambda tickerq, say_hello: say_hello.schedule(Greeting(name="Ada", times=1), retires=3),
        "retires: schedule has no such keyword: did you mean retries? (got 3)",
    ),
    "83 a name instead of an app": (
        lambda tickerq, say_hello: TickerQ("shop"),  # type: ignore[arg-type]
        "app: pass a Celery app (got 'shop')",
    ),
    "84 a misspelt setting": (
        lambda tickerq, say_hello: TickerQ(Celery("other", set_as_current=False), store_ulr="sqlite:///x.db"),  # type: ignore[call-arg]
        "store_ulr: no such setting: did you mean store_url?",
    ),
}


@pytest.mark.parametrize(("use", "message"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_is_refused_with_what_is_right(
    tickerq: TickerQ, use: Callable[[TickerQ, Any], object], message: str
) -> None:
    say_hello = tickerq.function("SayHello")(body)
    with pytest.raises(TickerError) as caught:
        use(tickerq, say_hello)
    assert str(caught.value).startswith(message)
    assert list(tickerq.time_tickers.find()) == []


def test_7_a_function_stands_for_its_name(tickerq: TickerQ) -> None:
    say_hello = tickerq.function(body)
    ticker = TimeTicker(function=say_hello, request=Greeting(name="Ada", times=1))
    assert tickerq.time_tickers.add(ticker).function == "body"


def test_42_a_priority_is_given_by_its_word(tickerq: TickerQ) -> None:
    say_hello = tickerq.function("SayHello", priority="high")(body)
    run = say_hello.schedule(Greeting(name="Ada", times=1), priority="low")
    assert (say_hello.definition.priority, run.priority) == (TickerPriority.HIGH, TickerPriority.LOW)


def test_95_a_status_is_given_by_its_word(tickerq: TickerQ) -> None:
    run = tickerq.function("SayHello")(body).schedule(Greeting(name="Ada", times=1), delay=60)
    tickerq.time_tickers.cancel(run.id)
    (found,) = tickerq.runs.find(status="cancelled")
    assert (found.id, found.status) == (run.id, TickerStatus.CANCELLED)


def test_92_a_celery_app_that_is_made_later_is_not_scheduled_with(tickerq: TickerQ) -> None:
    say_hello = ticker_function("SayHello")(body)
    with Celery("made later") as later:
        later.set_current()
        run = say_hello.schedule(Greeting(name="Ada", times=1))
    assert tickerq.time_tickers.get(run.id).function == "SayHello"


def test_the_decorator_works_without_parentheses(tickerq: TickerQ) -> None:
    for decorator in (ticker_function, tickerq.function):
        assert decorator(body).name == "body"
    assert tickerq.registry.get("body") is not None
