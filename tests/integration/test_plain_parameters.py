"""Functions with plain parameters, from the call to the run: stored by name, checked at both ends."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel
from sqlalchemy.orm import Session

from tests.integration.apps import (
    caller_engine,
    dispatch_due,
    enrol_worker,
    execute,
    fire_crons,
    ticker_app,
)
from tests.manual_clock import START, ManualClock
from tests.statements import functions
from tickerq_celery import CronTicker, Run, TickerContext, TickerQ, TickerStatus, TimeTicker
from tickerq_celery.errors import CallError, TickerValidationError, UnknownKeywordError

HOUR = timedelta(hours=1)
only_sqlite = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


class Line(BaseModel):
    name: str
    count: int = 1


@pytest.fixture
def tickerq(store_url: str, namespace: str, clock: ManualClock) -> Iterator[TickerQ]:
    with ticker_app(store_url, namespace, clock) as made:
        yield made


@pytest.fixture
def seen() -> list[object]:
    return []


@pytest.fixture
def send(tickerq: TickerQ, seen: list[object]) -> Any:
    @tickerq.function
    def send(context: TickerContext, user_id: int, *, lines: list[Line] = [], subject: str = "Hi") -> None:  # noqa: B006
        seen.append((context.request, user_id, lines, subject))

    return send


def end_of(tickerq: TickerQ, run: Run) -> Run:
    """Return a run once a worker has executed what is due."""
    dispatch_due(tickerq)
    execute(tickerq)
    return tickerq.runs.get(run.id)


def test_a_call_schedules_itself_and_runs_with_its_arguments(
    tickerq: TickerQ, send: Any, seen: list[object], clock: ManualClock
) -> None:
    lines = [Line(name="tea")]
    call = send.s("3", lines=lines)
    lines.append(Line(name="a slip"))
    run = call.schedule(delay=HOUR, retries=2)
    assert (run.execution_time, run.retries) == (START + HOUR, 2)
    assert run.request == {"user_id": 3, "lines": [{"name": "tea", "count": 1}]}
    enrol_worker(tickerq)
    clock.advance(hours=1)
    assert end_of(tickerq, run).status is TickerStatus.DONE
    assert seen == [(None, 3, [Line(name="tea")], "Hi")]


def test_calls_are_equal_by_their_arguments_and_show_none(send: Any) -> None:
    assert send.s(3) == send.s(user_id="3") != send.s(4)
    assert "3" not in repr(send.s(3))


def test_a_call_joins_the_callers_transaction(tickerq: TickerQ, send: Any, store_url: str) -> None:
    engine = caller_engine(store_url)
    with Session(engine) as session:
        send.s(3).schedule(session=session)
        session.rollback()
        run = send.s(4).schedule(session=session)
        session.commit()
    engine.dispose()
    assert [each.id for each in tickerq.time_tickers.find()] == [run.id]


@only_sqlite
def test_a_call_stands_wherever_a_function_and_its_request_do(tickerq: TickerQ, send: Any) -> None:
    child = TimeTicker(send.s(4), run_condition="on_success", delay=60)
    run = tickerq.time_tickers.add(TimeTicker(send.s(3), delay=300, children=[child]))
    (below,) = tickerq.time_tickers.find(parent_id=run.id)
    assert (run.function, run.request, run.execution_time) == (
        "send",
        {"user_id": 3},
        START + timedelta(seconds=300),
    )
    assert (below.function, below.request, below.execution_time) == (
        "send",
        {"user_id": 4},
        START + timedelta(seconds=60),
    )
    cron = tickerq.cron_tickers.add(
        CronTicker(send.s(5), expression="@daily", children=[TimeTicker(send.s(6))])
    )
    assert (cron.function, cron.request, cron.children[0].request) == ("send", {"user_id": 5}, {"user_id": 6})
    assert TimeTicker(send.s(3)) == TimeTicker("send", request={"user_id": 3})
    assert tickerq.time_tickers.update(run.id, function=send.s(7)).request == {"user_id": 7}
    assert tickerq.time_tickers.clone(run.id, function=send.s(8), delay=HOUR).execution_time == START + HOUR
    assert tickerq.cron_tickers.update(cron.id, function=send.s(9)).request == {"user_id": 9}


@only_sqlite
def test_a_function_stands_for_its_name(tickerq: TickerQ, send: Any) -> None:
    ticker = TimeTicker(send, request={"user_id": 3}, children=[TimeTicker(send, request={"user_id": 4})])
    assert (ticker.function, ticker.children[0].function) == ("send", "send")
    run = tickerq.time_tickers.add(ticker)
    assert tickerq.time_tickers.update(run.id, function=send, delay=60).execution_time == START + timedelta(
        minutes=1
    )
    with pytest.raises(TickerValidationError, match="request: the call of the function is the request"):
        TimeTicker(send.s(3), request={"user_id": 4})
    with pytest.raises(TickerValidationError, match="request: the call"):
        tickerq.time_tickers.update(run.id, function=send.s(3), request={"user_id": 4})


@only_sqlite
@pytest.mark.parametrize("delay", ["long", float("nan"), 1e30, 1e10, -1, timedelta(seconds=-1), True])
def test_a_delay_that_is_none_is_refused(tickerq: TickerQ, send: Any, delay: Any) -> None:
    with pytest.raises(TickerValidationError, match=r"^delay: "):
        tickerq.time_tickers.add(TimeTicker(send.s(3), delay=delay))
    run = send.s(3).schedule(delay=60)
    with pytest.raises(TickerValidationError, match=r"^delay: "):
        tickerq.time_tickers.update(run.id, delay=delay)


@only_sqlite
def test_a_moment_is_given_once(tickerq: TickerQ, send: Any) -> None:
    both: dict[str, Any] = {"execution_time": START, "delay": 5}
    for children in ([], [TimeTicker(send.s(3), **both)]):
        ticker = TimeTicker(send.s(3), children=children, **({} if children else both))
        with pytest.raises(TickerValidationError, match="delay: pass execution_time or delay, not both"):
            tickerq.time_tickers.add(ticker)
    with pytest.raises(TickerValidationError, match="pass execution_time or delay, not both"):
        tickerq.time_tickers.update(send.s(3).schedule(delay=60).id, **both)
    with pytest.raises(TickerValidationError, match=r"children\[0\]\.delay: the children of a cron ticker"):
        tickerq.cron_tickers.add(CronTicker(send.s(3), every=60, children=[TimeTicker(send.s(3), delay=5)]))


@only_sqlite
@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"user_id": "x"}, r"request\.user_id: .* valid integer"),
        ({"subject": "Yo"}, r"request\.user_id: Field required"),
        ({"user_id": 3, "topic": "Yo"}, r"request\.topic: the function has no such parameter"),
        (
            3,
            r"request: function send takes plain parameters: pass its call, .s\(user_id=…, ",
        ),
        (None, "request: function send needs user_id, and no request was given: pass its call"),
    ],
)
def test_an_object_is_checked_by_name(tickerq: TickerQ, send: Any, request_: object, message: str) -> None:
    for add in (
        lambda: tickerq.time_tickers.add(TimeTicker(send, request=request_)),
        lambda: tickerq.cron_tickers.add(CronTicker("send", expression="@daily", request=request_)),
    ):
        with pytest.raises(TickerValidationError, match=message):
            add()


@only_sqlite
def test_the_wrong_way_is_refused_with_the_right_one(tickerq: TickerQ, send: Any) -> None:
    @tickerq.function
    def greet(request: str) -> None: ...

    with pytest.raises(
        CallError, match=r"takes plain parameters: use \.s\(user_id=…, lines=…, subject=…\)\.schedule\(\)"
    ):
        send.schedule(3)
    with pytest.raises(CallError, match=r"\(got \{'password': '•••'\}\)"):
        send.schedule({"password": "x"})
    with pytest.raises(TickerValidationError, match="send needs user_id"):
        send.schedule()
    with pytest.raises(UnknownKeywordError, match=r"user_id: .* are those of \.s\(user_id=…"):
        send.schedule(user_id=3)
    with pytest.raises(
        CallError, match=r"greet takes one request: use \.schedule\(request\).*\(got \['Ada'\]\)"
    ):
        greet.s("Ada")

    @tickerq.function("Report")
    def report(context: TickerContext) -> None: ...

    with pytest.raises(CallError, match=r"Report takes a context only: use \.schedule\(\)"):
        report.s()
    with pytest.raises(TickerValidationError, match=r"^user_id: .* valid integer"):
        send.s("three")
    with pytest.raises(
        CallError, match=r"missing a required argument: 'user_id' .* \(got \{'subject': 'Hi'\}\)"
    ):
        send.s(subject="Hi")
    assert list(tickerq.time_tickers.find()) == []


@only_sqlite
def test_what_needs_nothing_is_scheduled_either_way(tickerq: TickerQ) -> None:
    expire: Any = tickerq.function("Expire")(lambda days=30: None)
    clean: Any = tickerq.function("Clean")(lambda: None)
    for run in (expire.schedule(), expire.s().schedule(), clean.schedule(), clean.s().schedule()):
        assert run.request is None


@only_sqlite
def test_a_stored_name_that_is_gone_fails_the_attempt_and_shows_no_value(
    tickerq: TickerQ, namespace: str, clock: ManualClock
) -> None:
    stored = {"user_id": 3, "token": "of a secret"}
    gone = [
        tickerq.time_tickers.add(TimeTicker(name, request=stored, delay=60), allow_unknown=True)
        for name in ("Less", "Nothing", "Any")
    ]
    tickerq.function("Less")(lambda user_id, subject="Hi": None)
    tickerq.function("Nothing")(lambda: None)
    tickerq.function("Any")(lambda user_id, **more: None)
    enrol_worker(tickerq)
    clock.advance(minutes=1)
    less, nothing, takes_any = (end_of(tickerq, run) for run in gone)
    assert (less.status, nothing.status, takes_any.status) == (
        TickerStatus.FAILED,
        TickerStatus.FAILED,
        TickerStatus.DONE,
    )
    message = "request.token: the function has no such parameter (got '•••')"
    assert less.exception_message == message
    assert (nothing.exception_message or "").startswith("request.user_id: the function has no such parameter")
    assert message in (nothing.exception_message or "")
    assert all("of a secret" not in repr(run.attempts) for run in (less, nothing))


def test_a_parameter_that_came_later_reads_older_rows(
    tickerq: TickerQ, seen: list[object], clock: ManualClock
) -> None:
    older = tickerq.time_tickers.add(TimeTicker("Send", request={"user_id": 3}, delay=60), allow_unknown=True)

    def send(user_id: int, subject: str = "Hi", /) -> None:
        seen.append((user_id, subject))

    tickerq.function("Send")(send)
    enrol_worker(tickerq)
    clock.advance(minutes=1)
    assert end_of(tickerq, older).status is TickerStatus.DONE
    assert seen == [(3, "Hi")]


def test_a_seeded_cron_gives_the_options_object_or_the_defaults(
    tickerq: TickerQ, seen: list[object], clock: ManualClock
) -> None:
    def remind(user_id: int = 1) -> None:
        seen.append(user_id)

    tickerq.function("Defaults", cron="@hourly")(remind)
    tickerq.function("Given", cron="@hourly", request={"user_id": "7"})(
        lambda user_id: [seen.append(user_id)]
    )
    with pytest.raises(TickerValidationError, match="request: function Needs needs user_id, and no request"):
        tickerq.function("Needs", cron="@hourly")(lambda user_id: None)
    with pytest.raises(TickerValidationError, match=r"request\.user: the function has no such parameter"):
        tickerq.function("Wrong", cron="@hourly", request={"user": 7})(remind)
    tickerq.seed()
    assert {cron.function: cron.request for cron in tickerq.cron_tickers.find()} == {
        "Defaults": None,
        "Given": {"user_id": "7"},
    }
    enrol_worker(tickerq)
    clock.advance(hours=1)
    fire_crons(tickerq)
    dispatch_due(tickerq)
    execute(tickerq)
    assert sorted(seen, key=str) == [1, "7"]


@only_sqlite
def test_a_manual_run_takes_the_object(tickerq: TickerQ, send: Any, seen: list[object]) -> None:
    enrol_worker(tickerq)
    cron = tickerq.cron_tickers.add(CronTicker(send.s(3), expression="@daily"))
    run = tickerq.cron_tickers.run_now(cron.id, request={"user_id": 4, "subject": "Now"})
    assert end_of(tickerq, run).status is TickerStatus.DONE
    assert seen == [(None, 4, [], "Now")]
    with pytest.raises(TickerValidationError, match=r"request\.user_id: Field required"):
        tickerq.cron_tickers.run_now(cron.id, request={})


@only_sqlite
def test_the_table_of_functions_shows_the_objects_schema(tickerq: TickerQ, send: Any) -> None:
    tickerq.function("Clean")(lambda: None)
    tickerq.seed()
    found = tickerq.core.read(functions.find, ["send", "Clean"])
    schema = found["send"].request_schema
    assert (schema["type"], schema["required"]) == ("object", ["user_id"])
    assert schema["properties"]["subject"] == {"title": "Subject", "type": "string", "default": "Hi"}
    assert found["Clean"].request_schema is None
