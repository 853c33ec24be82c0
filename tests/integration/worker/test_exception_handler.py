"""The user's exception handler: called for every failed attempt, once it is stored, and never trusted."""

import asyncio
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, NoReturn
from uuid import UUID

import pytest
from celery import Celery

from tests.integration.apps import (
    change_row,
    dispatch_due,
    enrol_worker,
    execute,
    messages,
    row_of,
    ticker_app,
)
from tests.manual_clock import ManualClock
from tests.tables import tickers
from tickerq_celery import (
    Run,
    TerminateExecution,
    TickerCancelled,
    TickerContext,
    TickerQ,
    TickerStatus,
    TickerType,
    TimeTicker,
)
from tickerq_celery.enums import TERMINAL
from tickerq_celery.errors import ConfigError
from tickerq_celery.runs.cancelling import CANCELLED_REASON
from tickerq_celery.worker.exception_handler import resolved_handler

Call = tuple[str, str, UUID, TickerType]


class Recording:
    """Keeps what it is given, and what the store held at that moment."""

    calls: ClassVar[list[Call]] = []
    statuses: ClassVar[list[TickerStatus]] = []
    tickerq: ClassVar[TickerQ | None] = None

    def handle_exception(self, exception: BaseException, ticker_id: UUID, ticker_type: TickerType) -> None:
        self._note("failed", exception, ticker_id, ticker_type)

    def handle_canceled_exception(
        self, exception: BaseException, ticker_id: UUID, ticker_type: TickerType
    ) -> None:
        self._note("cancelled", exception, ticker_id, ticker_type)

    def _note(self, word: str, exception: BaseException, ticker_id: UUID, ticker_type: TickerType) -> None:
        self.calls.append((word, str(exception), ticker_id, ticker_type))
        if self.tickerq is not None:
            self.statuses.append(row_of(self.tickerq, ticker_id).status)


class RecordingInALoop(Recording):
    async def handle_exception(  # type: ignore[override]
        self, exception: BaseException, ticker_id: UUID, ticker_type: TickerType
    ) -> None:
        await asyncio.sleep(0)
        self._note("failed", exception, ticker_id, ticker_type)

    async def handle_canceled_exception(  # type: ignore[override]
        self, exception: BaseException, ticker_id: UUID, ticker_type: TickerType
    ) -> None:
        self._note("cancelled", exception, ticker_id, ticker_type)


class Raising(Recording):
    def _note(
        self, word: str, exception: BaseException, ticker_id: UUID, ticker_type: TickerType
    ) -> NoReturn:
        super()._note(word, exception, ticker_id, ticker_type)
        raise RuntimeError("the handler is broken")


class CancellingItself(Recording):
    async def handle_exception(  # type: ignore[override]
        self, exception: BaseException, ticker_id: UUID, ticker_type: TickerType
    ) -> None:
        raise asyncio.CancelledError("the handler is broken")


class HalfAHandler:
    def handle_exception(
        self, exception: BaseException, ticker_id: UUID, ticker_type: TickerType
    ) -> None: ...


class NeedsAMailer(Recording):
    def __init__(self, mailer: object) -> None:
        self.mailer = mailer


class CannotBeMade(Recording):
    def __init__(self) -> None:
        raise OSError("no route to the tracker")


AN_INSTANCE = Recording()


@pytest.fixture(autouse=True)
def _forget_calls() -> Iterator[None]:
    Recording.calls.clear()
    Recording.statuses.clear()
    yield
    Recording.tickerq = None


@pytest.fixture
def with_handler(store_url: str, namespace: str, clock: ManualClock) -> Iterator[Callable[[object], TickerQ]]:
    """Return a way to make the test's TickerQ, with a handler."""

    @contextmanager
    def made(handler: Any) -> Iterator[TickerQ]:
        with ticker_app(store_url, namespace, clock, exception_handler=handler) as tickerq:
            Recording.tickerq = tickerq
            yield tickerq

    manager: list[Any] = []

    def enter(handler: object) -> TickerQ:
        manager.append(made(handler))
        return manager[-1].__enter__()

    yield enter
    for each in manager:
        each.__exit__(None, None, None)


def add(tickerq: TickerQ, error: BaseException | None, **fields: Any) -> Run:
    def body() -> None:
        if error is not None:
            raise error

    tickerq.function("Body")(body)
    enrol_worker(tickerq)
    return tickerq.time_tickers.add(TimeTicker(function="Body", **fields))


def test_every_failed_attempt_is_reported_once_it_is_stored(
    with_handler: Callable[[object], TickerQ], clock: ManualClock
) -> None:
    tickerq = with_handler(Recording())
    run = add(tickerq, OSError("no route"), retries=2, retry_intervals=[60])
    for _ in range(3):
        execute(tickerq)
        clock.advance(minutes=1)
        dispatch_due(tickerq)
    assert Recording.calls == [("failed", "no route", run.id, TickerType.TIME_TICKER)] * 3
    assert Recording.statuses == [TickerStatus.IDLE, TickerStatus.IDLE, TickerStatus.FAILED]


def test_a_cancelled_run_is_reported_by_its_own_method(with_handler: Callable[[object], TickerQ]) -> None:
    tickerq = with_handler(Recording())
    run = add(tickerq, TickerCancelled("stop"), retries=2)
    execute(tickerq)
    assert Recording.calls == [("cancelled", "stop", run.id, TickerType.TIME_TICKER)]
    assert Recording.statuses == [TickerStatus.CANCELLED]


def test_a_run_that_is_cancelled_while_it_waits_for_its_retry_is_reported_as_well(
    with_handler: Callable[[object], TickerQ],
) -> None:
    tickerq = with_handler(Recording())
    run = add(tickerq, OSError("no route"), retries=1)
    execute(tickerq)
    Recording.calls.clear()
    tickerq.runs.cancel(run.id)
    (message,) = messages(tickerq)
    arguments, *_ = message.payload
    tickerq.app.tasks[message.headers["task"]].apply(args=arguments)
    assert Recording.calls == [("cancelled", CANCELLED_REASON, run.id, TickerType.TIME_TICKER)]
    assert row_of(tickerq, run.id).status is TickerStatus.CANCELLED


@pytest.mark.parametrize("error", [None, TerminateExecution("skip"), TerminateExecution("done", 3)])
@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_what_is_no_failure_is_not_reported(
    with_handler: Callable[[object], TickerQ], error: BaseException | None
) -> None:
    tickerq = with_handler(Recording())
    run = add(tickerq, error)
    execute(tickerq)
    assert row_of(tickerq, run.id).status in TERMINAL
    assert Recording.calls == []


def test_an_attempt_that_was_superseded_is_not_reported(with_handler: Callable[[object], TickerQ]) -> None:
    tickerq = with_handler(Recording())

    def body(context: TickerContext[None]) -> None:
        change_row(tickerq, context.id, claim_no=tickers.c.claim_no + 1)
        raise OSError

    tickerq.function("Body")(body)
    enrol_worker(tickerq)
    tickerq.time_tickers.add(TimeTicker(function="Body"))
    assert [result.state for result in execute(tickerq)] == ["IGNORED"]
    assert Recording.calls == []


@pytest.mark.parametrize("error", [OSError("no route"), TickerCancelled("stop")])
@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_handler_may_be_async(with_handler: Callable[[object], TickerQ], error: BaseException) -> None:
    tickerq = with_handler(RecordingInALoop())
    add(tickerq, error)
    execute(tickerq)
    assert [call[1] for call in Recording.calls] == [str(error)]


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_an_async_handler_is_called_for_an_async_body_that_exits(
    with_handler: Callable[[object], TickerQ],
) -> None:
    async def body() -> None:
        await asyncio.create_task(exits())

    async def exits() -> None:
        raise SystemExit

    tickerq = with_handler(RecordingInALoop())
    tickerq.function("Body")(body)
    enrol_worker(tickerq)
    tickerq.time_tickers.add(TimeTicker(function="Body"))
    with pytest.raises(SystemExit):
        execute(tickerq)
    assert [call[1] for call in Recording.calls] == ["worker lost: SystemExit while the function ran"]


@pytest.mark.parametrize("handler", [Raising, CancellingItself])
def test_a_handler_that_raises_changes_nothing(
    with_handler: Callable[[object], TickerQ], handler: type[Recording], caplog: pytest.LogCaptureFixture
) -> None:
    tickerq = with_handler(handler())
    run = add(tickerq, OSError("no route"))
    with caplog.at_level(logging.ERROR):
        (result,) = execute(tickerq)
    assert (result.state, str(result.result)) == ("FAILURE", "no route")
    failed = tickerq.runs.get(run.id)
    assert (failed.status, failed.exception_message) == (TickerStatus.FAILED, "no route")
    assert "the handler is broken" in caplog.text


def test_a_path_counts_from_the_current_folder_as_that_of_the_app_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "alerts_here.py").write_text(
        "class Alerting:\n"
        "    def handle_exception(self, *_): ...\n"
        "    def handle_canceled_exception(self, *_): ...\n"
    )
    monkeypatch.chdir(tmp_path)
    # As in the script `celery`, whose own folder is the first of the path.
    monkeypatch.setattr(sys, "path", [each for each in sys.path if each not in ("", str(tmp_path))])
    assert type(resolved_handler("alerts_here.Alerting")).__name__ == "Alerting"
    assert str(tmp_path) not in sys.path


@pytest.mark.parametrize(
    "handler",
    [
        Recording,
        pytest.param(Recording(), id="an instance"),
        f"{__name__}.Recording",
        f"{__name__}:Recording",
        f"{__name__}.AN_INSTANCE",
        f"{__name__}:AN_INSTANCE",
    ],
    ids=repr,
)
@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_handler_is_an_instance_a_class_or_a_path(
    with_handler: Callable[[object], TickerQ], handler: object
) -> None:
    tickerq = with_handler(handler)
    add(tickerq, OSError("no route"))
    execute(tickerq)
    assert len(Recording.calls) == 1


BAD_HANDLERS = [
    "no.such.module.Handler",
    f"{__name__}.NoSuchName",
    "nonsense",
    "",
    HalfAHandler,
    pytest.param(HalfAHandler(), id="an instance of it"),
    f"{__name__}.HalfAHandler",
    pytest.param(object(), id="an object"),
    7,
    print,
]


@pytest.mark.parametrize("handler", BAD_HANDLERS, ids=repr)
def test_what_is_no_handler_is_refused_when_the_app_is_first_used(handler: Any, namespace: str) -> None:
    with Celery(namespace, set_as_current=False) as app:
        tickerq = TickerQ(app, "sqlite:///unused.db", exception_handler=handler)
        with pytest.raises(ConfigError, match="exception_handler") as caught:
            tickerq.core  # noqa: B018 - the first use reads the settings
    assert caught.value.setting == "exception_handler"


@pytest.mark.parametrize(
    ("handler", "why"),
    [
        (NeedsAMailer, r"NeedsAMailer\(\) raised TypeError: .*'mailer'"),
        (f"{__name__}.NeedsAMailer", r"NeedsAMailer\(\) raised TypeError: .*'mailer'"),
        (CannotBeMade, r"CannotBeMade\(\) raised OSError: no route to the tracker"),
    ],
    ids=repr,
)
def test_a_class_that_cannot_be_called_without_arguments_is_refused_with_what_to_do(
    handler: Any, why: str
) -> None:
    with pytest.raises(ConfigError, match=rf"exception_handler: {why}; .*pass an instance") as caught:
        resolved_handler(handler)
    assert caught.value.setting == "exception_handler"
