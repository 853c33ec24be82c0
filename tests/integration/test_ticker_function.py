"""ticker_function: hooks on to every app that has a TickerQ, as shared_task does."""

import functools
import inspect
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import pytest
from celery import Celery, _state
from pydantic import BaseModel
from sqlalchemy.orm import Session

from tests.integration.apps import caller_engine, enrol_worker, published, ticker_app
from tests.manual_clock import START, ManualClock
from tickerq_celery import TickerContext, TickerPriority, TickerQ, TimeTicker, ticker_function
from tickerq_celery.errors import (
    ConfigError,
    DuplicateFunctionError,
    NoCeleryTaskError,
    TickerValidationError,
    UnknownKeywordError,
)
from tickerq_celery.typing import FunctionCall, TickerFunction

MINUTE = timedelta(minutes=1)


class Welcome(BaseModel):
    user_id: int


class Greeting(BaseModel):
    namespac: str
    eta: int
    execution_time: int = 0


def _greet(request: Greeting) -> None: ...


@pytest.fixture
def store_url(schema_url: Callable[[str], str], tmp_path: Path) -> str:
    """One kind of store will do: functions come before it."""
    own = tmp_path / "tickers.db"
    shutil.copyfile(schema_url("sqlite").removeprefix("sqlite:///"), own)
    return f"sqlite:///{own}"


@pytest.fixture(autouse=True)
def _hooks_of_this_test_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_state, "_on_app_finalizers", set(_state._on_app_finalizers))
    monkeypatch.setattr(TickerQ, "_of_app", WeakKeyDictionary())


@pytest.fixture
def make(store_url: str, namespace: str, clock: ManualClock) -> Iterator[Callable[..., TickerQ]]:
    """Return a way to make TickerQs on one store; the last one's app is the current one."""
    with ExitStack() as stack:
        before = _state.default_app, _state._tls.current_app
        stack.callback(lambda: (_state.set_default_app(before[0]), _state._set_current_app(before[1])))

        def made(suffix: str = "", *, started: bool = True) -> TickerQ:
            if not started:
                app = Celery(f"{namespace}{suffix}", broker="memory://", set_as_current=False)
                stack.callback(app.close)
                tickerq = TickerQ(app, store_url)
                stack.callback(tickerq.close)
            else:
                tickerq = stack.enter_context(ticker_app(store_url, f"{namespace}{suffix}", clock))
            tickerq.app.set_current()
            return tickerq

        yield made


def test_a_function_made_before_the_app_is_finalised_hooks_on(make: Callable[..., TickerQ]) -> None:
    tickerq = make(started=False)

    @ticker_function("Send")
    def send() -> None: ...

    assert tickerq.registry.get("Send") is None
    tickerq.app.finalize()
    assert tickerq.registry.get("Send") is send.definition
    assert "tickerq.Send" in tickerq.app.tasks


def test_a_function_made_after_the_app_was_finalised_hooks_on(make: Callable[..., TickerQ]) -> None:
    tickerq = make()

    @ticker_function("Send")
    def send() -> None: ...

    assert tickerq.registry.get("Send") is send.definition
    assert "tickerq.Send" in tickerq.app.tasks


def test_a_function_made_before_any_app_hooks_on_to_each(make: Callable[..., TickerQ]) -> None:
    @ticker_function("Send")
    def send() -> None: ...

    first, second = make("-1"), make("-2")
    assert first.registry.get("Send") is second.registry.get("Send") is send.definition


def test_an_app_without_a_ticker_q_gets_no_task() -> None:
    @ticker_function("Send")
    def send() -> None: ...

    with Celery("plain", set_as_current=False) as app:
        app.finalize()
        assert "tickerq.Send" not in app.tasks


def test_a_function_of_one_ticker_q_is_not_known_to_another(make: Callable[..., TickerQ]) -> None:
    first, second = make("-1"), make("-2")

    @first.function("Send")
    def send() -> None: ...

    assert first.registry.get("Send") is send.definition
    assert second.registry.get("Send") is None
    run = send.schedule(at=START + timedelta(hours=1))
    assert first.time_tickers.get(run.id) == run


def test_two_functions_under_one_name_are_an_error_that_names_both(make: Callable[..., TickerQ]) -> None:
    @ticker_function("Send")
    def first() -> None: ...

    @ticker_function("Send")
    def second() -> None: ...

    with pytest.raises(DuplicateFunctionError) as caught:
        make()
    assert all(name in str(caught.value) for name in ("'Send'", "first", "second"))


def test_two_functions_under_one_name_are_an_error_where_the_app_is_ready(
    make: Callable[..., TickerQ],
) -> None:
    make()
    ticker_function("Send")(_first)
    with pytest.raises(DuplicateFunctionError, match=r"_first.*_second"):
        ticker_function("Send")(_second)


def test_a_function_that_is_defined_again_under_its_name_is_an_error(make: Callable[..., TickerQ]) -> None:
    make()

    @ticker_function("Send")
    def send() -> None: ...

    with pytest.raises(DuplicateFunctionError, match=r"send, line \d+; .*send, line \d+"):

        @ticker_function("Send")
        def send() -> None: ...


def _first() -> None: ...


def _second() -> None: ...


def test_the_name_of_a_function_without_one_is_its_own() -> None:
    @ticker_function()
    def send_mail() -> None: ...

    assert send_mail.name == "send_mail"


def test_options_are_kept(make: Callable[..., TickerQ]) -> None:
    make()
    options = {
        "retries": 3,
        "retry_intervals": [60, 300],
        "queue": "mail",
        "timeout": 5,
        "max_concurrency": 2,
    }
    send = ticker_function("Send", cron="0 0 9 * * *", on_lost="fail", **options)(_first)  # type: ignore[arg-type]
    definition = send.definition
    assert (definition.retries, definition.retry_intervals, definition.queue) == (
        3,
        (MINUTE, 5 * MINUTE),
        "mail",
    )
    assert (definition.cron, definition.on_lost, definition.max_concurrency) == ("0 0 9 * * *", "fail", 2)
    with pytest.raises(TickerValidationError, match="retries"):
        ticker_function("Other", retries=-1)(_first)


def test_functions_may_share_options_and_the_beginning_of_their_names(make: Callable[..., TickerQ]) -> None:
    tickerq = make()
    orders = functools.partial(ticker_function, priority=TickerPriority.HIGH, max_concurrency=2)
    ship, bill = orders("Orders.Ship")(_first), orders("Orders.Bill", max_concurrency=5)(_second)
    assert [function.name for function in tickerq.registry] == ["Orders.Bill", "Orders.Ship"]
    assert (ship.definition.priority, ship.definition.max_concurrency) == (TickerPriority.HIGH, 2)
    assert (bill.definition.priority, bill.definition.max_concurrency) == (TickerPriority.HIGH, 5)
    assert ship.schedule().function == "Orders.Ship"


def test_what_its_body_holds_changes_nothing_in_it() -> None:
    class Mailer:
        def __init__(self) -> None:
            self.definition = "a mailer"

        def __call__(self) -> str:
            return self.definition

    send = ticker_function("Send")(Mailer())
    assert (send.name, send()) == ("Send", "a mailer")


def test_calling_it_runs_its_body_and_records_nothing(make: Callable[..., TickerQ]) -> None:
    tickerq = make()

    @ticker_function("Double")
    def double(request: int) -> int:
        """Say it twice."""
        return request * 2

    assert (double(4), double(request=5)) == (8, 10)
    assert (double.__name__, double.__doc__) == ("double", "Say it twice.")
    assert not tickerq.time_tickers.find()


def test_it_is_no_celery_task() -> None:
    send = ticker_function("Send")(_first)
    for name in ("delay", "apply_async", "apply", "si"):
        assert not hasattr(send, name)


@pytest.mark.parametrize(
    ("when", "at"),
    [
        ({}, START),
        ({"at": datetime(2026, 2, 1, tzinfo=UTC)}, datetime(2026, 2, 1, tzinfo=UTC)),
        ({"delay": timedelta(minutes=5)}, START + timedelta(minutes=5)),
        ({"delay": 90}, START + timedelta(seconds=90)),
        ({"delay": 0.5}, START + timedelta(seconds=0.5)),
        ({"delay": 0}, START),
    ],
)
def test_schedule_adds_a_ticker(make: Callable[..., TickerQ], when: dict[str, Any], at: datetime) -> None:
    tickerq = make()

    @ticker_function("Send", retries=2)
    def send(context: TickerContext[Welcome]) -> None: ...

    run = send.schedule(Welcome(user_id=7), description="hi", tags=["eu"], retries=5, **when)
    stored = tickerq.time_tickers.get(run.id)
    assert (stored.function, stored.execution_time, stored.request) == ("Send", at, {"user_id": 7})
    assert (stored.description, stored.tags, stored.retries) == ("hi", ("eu",), 5)


@pytest.mark.parametrize(
    ("when", "field"),
    [
        ({"at": START, "delay": 5}, "delay"),
        ({"delay": "5"}, "delay"),
        ({"delay": float("nan")}, "delay"),
        ({"delay": float("inf")}, "delay"),
        ({"delay": 1e30}, "delay"),
        ({"delay": True}, "delay"),
        ({"at": "tomorrow"}, "at"),
        ({"at": datetime(2026, 1, 1)}, "at"),  # noqa: DTZ001 - what is refused
    ],
    ids=repr,
)
def test_a_moment_that_cannot_be_used_is_refused(
    make: Callable[..., TickerQ], when: dict[str, Any], field: str
) -> None:
    tickerq = make()
    send = ticker_function("Send")(_first)
    with pytest.raises(TickerValidationError) as caught:
        send.schedule(**when)
    assert caught.value.field == field
    assert not tickerq.time_tickers.find()


def test_a_request_that_does_not_fit_is_refused(make: Callable[..., TickerQ]) -> None:
    make()

    @ticker_function("Send")
    def send(request: Welcome) -> None: ...

    with pytest.raises(TickerValidationError, match=r"request\.user_id"):
        send.schedule({"user_id": "seven"})


def test_schedule_joins_the_callers_transaction(make: Callable[..., TickerQ], store_url: str) -> None:
    tickerq = make()
    send = ticker_function("Send")(_first)
    enrol_worker(tickerq)
    engine = caller_engine(store_url)
    with Session(engine) as session:
        send.schedule(session=session)
        session.rollback()
        run = send.schedule(session=session)
        session.commit()
    engine.dispose()
    assert [each.id for each in tickerq.time_tickers.find()] == [run.id]
    assert published(tickerq) == [run.id]


def test_schedule_without_a_ticker_q_says_so(namespace: str) -> None:
    send = ticker_function("Send")(_first)
    before = _state._tls.current_app
    with Celery(namespace) as app:
        app.set_current()
        with pytest.raises(ConfigError, match=f"{namespace} has no TickerQ"):
            send.schedule()
    _state._set_current_app(before)


def test_a_thread_without_a_current_app_schedules_by_the_only_ticker_q(make: Callable[..., TickerQ]) -> None:
    tickerq = make()
    enrol_worker(tickerq)
    plain = ticker_function("Plain")(lambda: None)
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(plain.schedule).result()
    assert tickerq.runs.get(run.id).function == "Plain"


def test_a_thread_without_a_current_app_must_choose_among_several(make: Callable[..., TickerQ]) -> None:
    made = [make("-one"), make("-two")]
    plain = ticker_function("Plain")(lambda: None)
    with ThreadPoolExecutor(1) as pool:
        failure = pool.submit(plain.schedule).exception()
    assert isinstance(failure, ConfigError)
    assert all(str(each.app.main) in str(failure) for each in made)
    assert "set_current()" in str(failure)


@pytest.mark.parametrize("name", [5, ""], ids=["no text", "empty"])
def test_what_is_no_name_is_refused_where_the_decorator_stands(
    make: Callable[..., TickerQ], name: Any
) -> None:
    for decorator in (ticker_function, make().function):
        with pytest.raises(TickerValidationError, match=r"^name: "):
            decorator(name)


def test_a_name_is_enough_to_schedule(make: Callable[..., TickerQ]) -> None:
    tickerq = make()
    ticker_function("Send")(_first)
    assert tickerq.time_tickers.add(TimeTicker(function="Send")).function == "Send"


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"retry": 3}, "retry: a function has no such option: did you mean retries? (got 3)"),
        (
            {"cron": "@daily", "timezone": "UTC", "retrys": 3},
            "timezone: a function has no such option: did you mean time_zone? (got 'UTC'); "
            "retrys: a function has no such option: did you mean retries? (got 3)",
        ),
        ({"colour": "red"}, "colour: a function has no such option: there are cron, every, time_zone, "),
    ],
    ids=str,
)
def test_an_unknown_option_is_refused_by_name_where_it_stands(
    make: Callable[..., TickerQ], options: Any, error: str
) -> None:
    for decorator in (ticker_function, make().function):
        with pytest.raises(TypeError) as caught:
            decorator("Send", **options)
        assert str(caught.value).startswith(error)


SCHEDULED = [
    ({"user_id": 5}, "what a function is given is one request, schedule({'user_id': …}) (got 5)"),
    ({"user_id": 5, "at_once": 1}, "is one request, schedule({'user_id': …, 'at_once': …})"),
    ({"retires": 3}, "retires: schedule has no such keyword: did you mean retries? (got 3)"),
    ({"countdown": 5}, "countdown: pass delay=, in seconds (got 5)"),
    ({"execution_time": 5}, "execution_time: pass at= (got 5)"),
    ({"kwargs": {"token": "t"}}, "is given as its one request (got {'token': '•••'})"),
    ({"secret_number": 5}, "schedule({'secret_number': …}) (got '•••')"),
    ({"data": 5}, "schedule({'data': …}) (got 5)"),
    ({"name": 5}, "schedule({'name': …}) (got 5)"),
    ({"dealy": 5}, "dealy: schedule has no such keyword: did you mean delay? (got 5)"),
    ({"request": 1, "dealy": 5}, "dealy: schedule has no such keyword: did you mean delay? (got 5)"),
    ({"request": 1, "user_id": 5}, "user_id: schedule has no such keyword: there are at, delay, session, "),
]


@pytest.mark.parametrize(("keywords", "error"), SCHEDULED, ids=str)
def test_schedule_refuses_unknown_keywords_in_words_that_name_the_right_ones(
    make: Callable[..., TickerQ], keywords: Any, error: str
) -> None:
    send = make().function("Send")(lambda context: None)
    with pytest.raises(UnknownKeywordError) as caught:
        send.schedule(**keywords)
    assert error in str(caught.value)
    assert caught.value.field == next(each for each in keywords if each != "request")


def test_each_parameter_of_schedule_may_be_the_one_that_is_meant(make: Callable[..., TickerQ]) -> None:
    send: Any = make().function("Send")(lambda context: None)
    kinds = inspect.signature(send.schedule).parameters.values()
    named = [each.name for each in kinds if each.kind is not inspect.Parameter.VAR_KEYWORD]
    for name in named:
        with pytest.raises(UnknownKeywordError, match=rf"did you mean {name}\?"):
            send.schedule(**{f"{name}_": 1})


def test_fields_of_the_request_that_are_passed_as_keywords_are_no_slips(make: Callable[..., TickerQ]) -> None:
    send: Any = make().function("Greet")(_greet)
    with pytest.raises(UnknownKeywordError) as caught:
        send.schedule(namespac="Ada", eta=1, execution_time=2, dealy=5)
    assert str(caught.value) == (
        "namespac: schedule has no such keyword: what a function is given is one request, "
        "schedule({'namespac': …, 'eta': …, 'execution_time': …}) (got 'Ada'); "
        "eta: schedule has no such keyword (got 1); execution_time: schedule has no such keyword (got 2); "
        "dealy: schedule has no such keyword: did you mean delay? (got 5)"
    )
    with pytest.raises(UnknownKeywordError, match=r"did you mean namespace\?"):
        send.schedule(Greeting(namespac="Ada", eta=1), namespac="Eve")


def test_a_decorated_function_shows_its_name_and_where_it_is(make: Callable[..., TickerQ]) -> None:
    send = make().function("Send")(_first)
    assert repr(send) == f"<ticker function 'Send' of {__name__}._first>"


def test_keywords_are_no_request_where_a_function_takes_none(
    make: Callable[..., TickerQ],
) -> None:
    clean = make().function("Clean")(lambda: None)
    with pytest.raises(
        UnknownKeywordError, match="user_id: schedule has no such keyword: function Clean takes no"
    ):
        clean.schedule(user_id=5)


@pytest.mark.parametrize("name", ["delay", "apply_async", "apply", "si", "signature"])
def test_what_a_celery_task_has_is_refused_with_the_call_that_does_it_here(
    make: Callable[..., TickerQ], name: str
) -> None:
    send = make().function("Send")(_first)
    with pytest.raises(AttributeError, match=rf"no Celery task and has no \.{name}: .*") as caught:
        getattr(send, name)
    assert isinstance(caught.value, NoCeleryTaskError)
    assert not hasattr(send, name)


def test_scheduling_asks_a_function_for_nothing_that_it_lacks(
    make: Callable[..., TickerQ], monkeypatch: pytest.MonkeyPatch
) -> None:
    send = make().function("Send")(lambda context, *, user_id=1: None)
    asked: list[str] = []
    for kind in (TickerFunction, FunctionCall):
        monkeypatch.setattr(kind, "__getattr__", lambda _, name: asked.append(name))
    send.schedule()
    send.s().schedule()
    assert asked == []


def test_any_other_attribute_is_an_ordinary_attribute_error(
    make: Callable[..., TickerQ],
) -> None:
    send = make().function("Send")(_first)
    with pytest.raises(AttributeError, match="'TickerFunction' object has no attribute 'nothing'"):
        send.nothing  # noqa: B018 - the attribute is what is asked for
