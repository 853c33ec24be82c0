"""The exception handler's third method: called after the first one, for the failure that ends a run."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, NoReturn
from uuid import UUID

import pytest
from celery import Celery

from tests.inner import SignalKind, SignalReport, parsed_header
from tests.integration.apps import add_run, dispatch_due, enrol_worker, execute, messages, ticker_app
from tests.manual_clock import ManualClock
from tickerq_celery import Run, TerminateExecution, TickerCancelled, TickerQ, TickerStatus, TimeTicker
from tickerq_celery.errors import ConfigError, StoreError
from tickerq_celery.runs.rescue import rescue
from tickerq_celery.worker.misrouted import MisroutedLog
from tickerq_celery.worker.signals import SignalHandler

pytestmark = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)

seen: list[tuple[str, str, UUID, int]] = []


class Alerting:
    """Keeps what it is given."""

    def handle_exception(self, exception: BaseException, ticker_id: UUID, ticker_type: int) -> None:
        seen.append(("failed", str(exception), ticker_id, ticker_type))

    def handle_canceled_exception(self, exception: BaseException, ticker_id: UUID, ticker_type: int) -> None:
        seen.append(("cancelled", str(exception), ticker_id, ticker_type))

    def handle_final_failure(self, exception: BaseException, ticker_id: UUID, ticker_type: int) -> None:
        seen.append(("final", str(exception), ticker_id, ticker_type))


class AlertingInALoop(Alerting):
    async def handle_final_failure(  # type: ignore[override]
        self, exception: BaseException, ticker_id: UUID, ticker_type: int
    ) -> None:
        await asyncio.sleep(0)
        super().handle_final_failure(exception, ticker_id, ticker_type)


class Knowing:
    """Takes the run in each of its methods, in three ways."""

    runs: ClassVar[list[tuple[str, Run | None]]] = []

    def handle_exception(
        self, exception: BaseException, ticker_id: UUID, ticker_type: int, run: Run | None = None
    ) -> None:
        self.runs.append(("failed", run))

    async def handle_canceled_exception(
        self, exception: BaseException, ticker_id: UUID, ticker_type: int, *, run: Run | None = None
    ) -> None:
        await asyncio.sleep(0)
        self.runs.append(("cancelled", run))

    def handle_final_failure(
        self, exception: BaseException, ticker_id: UUID, ticker_type: int, run: Run | None
    ) -> None:
        self.runs.append(("final", run))


class NamesItsTypeRun(Alerting):
    def handle_exception(self, exception: BaseException, ticker_id: UUID, run: int) -> None:  # type: ignore[override]
        super().handle_exception(exception, ticker_id, run)


class Broken(Alerting):
    def handle_exception(self, exception: BaseException, ticker_id: UUID, ticker_type: int) -> NoReturn:
        super().handle_exception(exception, ticker_id, ticker_type)
        raise RuntimeError("the handler is broken")


@pytest.fixture(params=[Alerting], ids=lambda handler: handler.__name__)
def tickerq(
    request: pytest.FixtureRequest, store_url: str, namespace: str, clock: ManualClock
) -> Iterator[TickerQ]:
    seen.clear()
    Knowing.runs.clear()
    with ticker_app(store_url, namespace, clock, exception_handler=request.param) as made:
        yield made


@pytest.mark.parametrize("tickerq", [Knowing], indirect=True)
def test_a_method_that_takes_the_run_gets_it_as_it_is_stored_by_then(
    tickerq: TickerQ, clock: ManualClock
) -> None:
    added = add_run(tickerq, raising(OSError("no route")), retries=1, retry_intervals=[60])
    execute(tickerq)
    clock.advance(minutes=1)
    dispatch_due(tickerq)
    execute(tickerq)
    found = [(word, run.id, run.status, len(run.attempts)) for word, run in Knowing.runs if run is not None]
    assert found == [
        ("failed", added.id, TickerStatus.IDLE, 1),
        ("failed", added.id, TickerStatus.FAILED, 2),
        ("final", added.id, TickerStatus.FAILED, 2),
    ]


@pytest.mark.parametrize("tickerq", [Knowing], indirect=True)
def test_a_cancelled_run_is_given_to_a_coroutine_too(tickerq: TickerQ) -> None:
    added = add_run(tickerq, raising(TickerCancelled("stop")))
    execute(tickerq)
    [(word, run)] = Knowing.runs
    assert (word, run and run.id, run and run.status) == ("cancelled", added.id, TickerStatus.CANCELLED)


@pytest.mark.parametrize("tickerq", [Knowing], indirect=True)
def test_a_handler_is_called_without_the_run_where_the_store_does_not_answer(
    tickerq: TickerQ, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise StoreError("connection refused")

    added = add_run(tickerq, raising(OSError("no route")))
    monkeypatch.setattr("tickerq_celery.worker.exception_handler.runs.get", refuse)
    execute(tickerq)
    assert Knowing.runs == [("failed", None), ("final", None)]
    assert f"the exception handler gets no run {added.id}: " in caplog.text


@pytest.mark.parametrize("tickerq", [NamesItsTypeRun], indirect=True)
def test_a_parameter_of_that_name_among_the_three_is_the_one_that_it_was(tickerq: TickerQ) -> None:
    added = add_run(tickerq, raising(OSError("no route")))
    execute(tickerq)
    assert seen[0] == ("failed", "no route", added.id, added.type)


def raising(error: BaseException) -> Callable[[], NoReturn]:
    def body() -> NoReturn:
        raise error

    return body


def words() -> list[str]:
    return [word for word, *_ in seen]


@pytest.mark.parametrize("tickerq", [Alerting, AlertingInALoop, Broken], indirect=True)
def test_the_last_failure_is_handled_as_the_final_one_too(tickerq: TickerQ, clock: ManualClock) -> None:
    run = add_run(tickerq, raising(OSError("no route")), retries=2, retry_intervals=[60])
    for before_last in (True, True, False):
        execute(tickerq)
        assert ("final" not in words()) is before_last
        clock.advance(minutes=1)
        dispatch_due(tickerq)
    assert words() == ["failed", "failed", "failed", "final"]
    assert seen[-1] == ("final", "no route", run.id, run.type)


@pytest.mark.parametrize(
    "error", [TickerCancelled("stop"), TerminateExecution("stop", TickerStatus.FAILED)], ids=repr
)
def test_an_end_that_the_function_asked_for_is_no_final_failure(
    tickerq: TickerQ, error: BaseException
) -> None:
    add_run(tickerq, raising(error))
    execute(tickerq)
    assert "final" not in words()


def added(tickerq: TickerQ, **options: Any) -> Run:
    """Return a run of a function with these options, whose message waits."""
    tickerq.function("Body", **options)(raising(SystemExit("dies")))
    enrol_worker(tickerq)
    return tickerq.time_tickers.add(TimeTicker(function="Body"))


def begun(tickerq: TickerQ, **options: Any) -> Any:
    """Return a run that has started, and whose process is about to die."""
    added(tickerq, **options)
    (message,) = messages(tickerq)
    return tickerq._process.get().recorder.start(*parsed_header(message.headers["ticker"]))


def call_for_lost_attempts(tickerq: TickerQ) -> None:
    """Run the tasks that call the handler for attempts whose own processes could not."""
    for message in messages(tickerq):
        arguments, *_ = message.payload
        tickerq.app.tasks[message.headers["task"]].apply(args=arguments)


@pytest.mark.parametrize(("on_lost", "expected"), [("retry", ["failed"]), ("fail", ["failed", "final"])])
def test_a_lost_attempt_is_a_final_failure_where_the_run_does_not_start_again(
    tickerq: TickerQ, on_lost: str, expected: list[str]
) -> None:
    parts, run = tickerq._process.get(), begun(tickerq, on_lost=on_lost)
    rescue(parts.recorder, parts.publisher, run, "gone")
    call_for_lost_attempts(tickerq)
    assert words() == expected


@pytest.mark.parametrize(("retries", "expected"), [(1, ["failed"]), (0, ["failed", "final"])])
def test_a_time_limit_that_kills_the_last_attempt_is_a_final_failure(
    tickerq: TickerQ, retries: int, expected: list[str]
) -> None:
    parts, run = tickerq._process.get(), begun(tickerq, retries=retries)
    report = SignalReport(
        ticker_id=run.id, claim_no=run.claim_no, kind=SignalKind.TIMED_OUT, message="too long"
    )
    SignalHandler(parts.core, parts.recorder, parts.publisher, MisroutedLog("mine")).handle(report)
    call_for_lost_attempts(tickerq)
    assert words() == expected


@pytest.mark.parametrize(("on_lost", "expected"), [("retry", ["failed"]), ("fail", ["failed", "final"])])
def test_a_thread_that_ends_with_its_attempt_reports_whether_that_was_final(
    tickerq: TickerQ, on_lost: str, expected: list[str]
) -> None:
    added(tickerq, on_lost=on_lost)
    with pytest.raises(SystemExit):
        execute(tickerq)
    assert words() == expected


@pytest.mark.parametrize("keyword", [None, AlertingInALoop], ids=repr)
def test_the_handler_may_stand_in_the_configuration_and_a_keyword_wins(
    keyword: type | None, store_url: str, namespace: str
) -> None:
    with Celery(namespace, set_as_current=False) as app:
        app.conf.tickerq_exception_handler = f"{__name__}.Alerting"
        tickerq = TickerQ(app, store_url, exception_handler=keyword)
        handler = tickerq._process.get().handler._handler
    assert type(handler) is (keyword or Alerting)


def test_a_handler_in_the_configuration_that_cannot_be_imported_is_refused(
    store_url: str, namespace: str
) -> None:
    with Celery(namespace, set_as_current=False) as app:
        app.conf.tickerq_exception_handler = "no.such.module.Handler"
        tickerq = TickerQ(app, store_url)
        with pytest.raises(ConfigError, match="exception_handler: cannot import"):
            tickerq.core  # noqa: B018 - the first use reads the settings
