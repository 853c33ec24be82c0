"""What newcomers got wrong and were not helped with, each by its number in the first list of such inputs."""

from collections.abc import Callable, Iterator
from typing import Any
from weakref import WeakKeyDictionary

import pytest
from celery import Celery, _state
from celery.schedules import crontab
from pydantic import BaseModel
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

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


class Customer(DeclarativeBase): ...


class Paying(Customer):
    __tablename__ = "paying"
    id: Mapped[int] = mapped_column(primary_key=True)


def pay(customer: Paying, cents: int) -> None: ...


def bare(ctx): ...  # type: ignore[no-untyped-def]


def nothing() -> None: ...


CRONTAB: Any = crontab("0, 30", "9-17", day_of_week="mon,fri")
# Of the second list.
WRONG |= {
    "a duration of the environment": (
        lambda tickerq, say_hello: TickerQ(Celery("other", set_as_current=False), lease="60").config,  # type: ignore[arg-type]
        "tickerq_lease: must be a timedelta or seconds, more than 0 s, at most 366 days; "
        "it is text, pass float('60')",
    ),
    "Celery's crontab": (
        lambda tickerq, say_hello: tickerq.function("N", cron=CRONTAB)(nothing),
        "expression: a cron expression is text: pass '0,30 9-17 * * mon,fri' (got <crontab",
    ),
    "an option of @app.task": (
        lambda tickerq, say_hello: tickerq.function("N", autoretry_for=(OSError,), time_limit=9),  # type: ignore[call-overload]
        "autoretry_for: a function has no such option: did you mean retries? (got (<class 'OSError'>,)); "
        "time_limit: a function has no such option: did you mean hard_timeout? (got 9)",
    ),
    "a row as a parameter": (
        lambda tickerq, say_hello: tickerq.function("Pay")(pay),
        "function: its parameter 'customer' is of a type that is no JSON: pass what identifies it, "
        "such as its id, or a pydantic model of it (got <class '",
    ),
    "a context without annotation": (
        lambda tickerq, say_hello: tickerq.time_tickers.add(TimeTicker(tickerq.function("Bare")(bare))),
        "request: function Bare needs ctx, and no request was given: pass its call, .s(ctx=…), "
        "or a dict by name; a context is annotated, ctx: TickerContext (got None)",
    ),
    "a Celery task below the decorator": (
        lambda tickerq, say_hello: tickerq.function("N")(tickerq.app.task(nothing)),
        "function: it is a Celery task: decorate its function alone, or schedule it, tickerq.schedule",
    ),
    "intervals without retries": (
        lambda tickerq, say_hello: tickerq.function("N", retry_intervals=[1, 2, 3])(nothing),
        "retry_intervals: nothing is retried without retries: pass retries=3; or 0, where only tickers",
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


def test_intervals_for_tickers_with_retries_of_their_own_are_no_mistake(tickerq: TickerQ) -> None:
    patient = tickerq.function("Patient", retries=0, retry_intervals=[60])(nothing)
    run = patient.schedule(retries=2)
    assert (run.retries, [each.total_seconds() for each in run.retry_intervals]) == (2, [60])


def test_a_celery_task_above_the_decorator_is_one_of_the_same_body(tickerq: TickerQ) -> None:
    task = tickerq.app.task(name="shop.both", shared=False)(tickerq.function("Both")(lambda: 3))
    assert (task.apply().get(), tickerq.runs.count()) == (3, 0)


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
