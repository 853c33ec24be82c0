"""What running functions report, on each database."""

import logging
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.integration.apps import (
    add_run,
    caller_engine,
    change_row,
    dispatch_due,
    execute,
    row_of,
    ticker_app,
)
from tests.manual_clock import START, ManualClock
from tests.tables import logs
from tickerq_celery import Run, TickerContext, TickerQ, TickerStatus
from tickerq_celery.errors import ConfigError, StoreError
from tickerq_celery.views import TickerConfig
from tickerq_celery.worker import reporting
from tickerq_celery.worker.reporting import Reporting

App = Callable[..., AbstractContextManager[TickerQ]]
users_logger = logging.getLogger("users.own")


@pytest.fixture(autouse=True)
def no_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no thread write of itself: a test calls ``flush`` when it is time."""
    monkeypatch.setattr(Reporting, "_live", lambda self: None)


@pytest.fixture
def app(store_url: str, namespace: str, clock: ManualClock) -> App:
    return lambda **settings: ticker_app(store_url, namespace, clock, **settings)


@pytest.fixture
def tickerq(app: App) -> Iterator[TickerQ]:
    with app() as made:
        yield made


only_sqlite = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


def messages_of(run: Run) -> list[str]:
    return [line.message for line in run.logs]


def test_what_a_function_reports_can_be_read_while_it_runs_and_after(
    tickerq: TickerQ, clock: ManualClock
) -> None:
    seen: list[Run] = []

    def body(context: TickerContext) -> None:
        context.report_progress(0.4, "counting")
        context.log("one")
        tickerq._process.get().reporting.flush()
        seen.append(tickerq.runs.get(context.id))
        clock.advance(seconds=2)
        context.log("two")
        context.report_progress(0.9, "nearly there")

    run = add_run(tickerq, body)
    execute(tickerq)
    (running,) = seen
    assert (running.progress, running.progress_message, messages_of(running)) == (0.4, "counting", ["one"])
    ended = tickerq.runs.get(run.id)
    assert (ended.status, ended.progress, ended.progress_message) == (TickerStatus.DONE, 0.9, "nearly there")
    assert [(line.attempt, line.at, line.level, line.message) for line in ended.logs] == [
        (0, START, "INFO", "one"), (0, START + timedelta(seconds=2), "INFO", "two"),
    ]  # fmt: skip
    (found,) = tickerq.runs.find()
    assert (found.progress, found.logs) == (0.9, ())


def test_lines_of_all_attempts_are_kept_and_progress_is_that_of_the_last(tickerq: TickerQ) -> None:
    seen: list[float | None] = []

    def body(context: TickerContext) -> None:
        context.log(f"attempt {context.retry_count}")
        if context.retry_count == 0:
            context.report_progress(0.7)
            raise OSError
        seen.append(tickerq.runs.get(context.id).progress)

    run = add_run(tickerq, body, retries=1, retry_intervals=[0])
    execute(tickerq)
    assert tickerq.runs.get(run.id).progress == 0.7
    dispatch_due(tickerq)
    execute(tickerq)
    ended = tickerq.runs.get(run.id)
    assert [(line.attempt, line.message) for line in ended.logs] == [(0, "attempt 0"), (1, "attempt 1")]
    assert (ended.status, ended.progress, seen) == (TickerStatus.DONE, None, [None])


def test_a_claim_that_was_superseded_reports_nothing(tickerq: TickerQ) -> None:
    def body(context: TickerContext) -> None:
        change_row(tickerq, context.id, claim_no=7)
        context.report_progress(0.5, "a zombie")
        context.log("a zombie")
        tickerq._process.get().reporting.flush()

    run = add_run(tickerq, body)
    execute(tickerq)
    row = row_of(tickerq, run.id)
    assert (row.status, row.progress, row.progress_message) == (TickerStatus.IN_PROGRESS, None, None)
    assert tickerq.runs.get(run.id).logs == ()


def test_lines_that_two_writers_write_are_stored_once(
    tickerq: TickerQ, monkeypatch: pytest.MonkeyPatch
) -> None:
    def body(context: TickerContext) -> None:
        context.log("one")
        # The thread wrote it, and has not come to note that it did.
        monkeypatch.setattr(
            "tickerq_celery.tickers.progress.Report.forget_written", lambda self, written: None
        )
        tickerq._process.get().reporting.flush()
        context.log("two")

    run = add_run(tickerq, body)
    execute(tickerq)
    assert messages_of(tickerq.runs.get(run.id)) == ["one", "two"]


@pytest.mark.parametrize("is_committed", [True, False])
def test_reports_are_kept_once_where_a_function_completes_its_run_itself(
    tickerq: TickerQ, store_url: str, is_committed: bool
) -> None:
    engine = caller_engine(store_url)

    def body(context: TickerContext) -> None:
        context.report_progress(0.9)
        context.log("one")
        with Session(engine) as session:
            context.complete_in(session)
            session.commit() if is_committed else session.rollback()

    run = add_run(tickerq, body)
    execute(tickerq)
    engine.dispose()
    ended = tickerq.runs.get(run.id)
    assert (ended.status, ended.progress, messages_of(ended)) == (TickerStatus.DONE, 0.9, ["one"])


@only_sqlite
def test_a_store_that_takes_no_report_does_not_fail_the_run_and_gets_it_later(
    tickerq: TickerQ, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*_: Any, **__: Any) -> bool:
        raise StoreError("unreachable")

    def body(context: TickerContext) -> None:
        context.log("one")
        with monkeypatch.context() as patch:
            patch.setattr(reporting.logs, "write", unreachable)
            tickerq._process.get().reporting.flush()
        tickerq._process.get().reporting.flush()
        assert messages_of(tickerq.runs.get(context.id)) == ["one"]

    run = add_run(tickerq, body)
    execute(tickerq)
    assert tickerq.runs.get(run.id).status is TickerStatus.DONE


@only_sqlite
def test_a_page_of_runs_has_their_log_lines_if_they_are_asked_for(tickerq: TickerQ) -> None:
    add_run(tickerq, lambda context: context.log(f"of {context.id}"))
    execute(tickerq)
    for find in (tickerq.runs.find, tickerq.time_tickers.find):
        (run,) = find(with_logs=True)
        assert [line.message for line in run.logs] == [f"of {run.id}"]
        assert find()[0].logs == ()


def test_log_lines_go_with_their_run(tickerq: TickerQ) -> None:
    run = add_run(tickerq, lambda context: context.log("one"))
    execute(tickerq)
    tickerq.time_tickers.delete(run.id)
    count = select(func.count()).select_from(logs).where(logs.c.ticker_id == run.id)
    assert tickerq.core.database.read(lambda connection: connection.scalar(count)) == 0


@only_sqlite
@pytest.mark.parametrize("is_async", [False, True])
def test_what_a_function_logs_by_logging_is_captured_where_a_setting_says_so(
    app: App, is_async: bool
) -> None:
    def speak() -> None:
        users_logger.warning("%d of %d", 1, 2)
        users_logger.debug("too quiet")
        logging.getLogger("tickerq_celery.task").warning("our own")

    async def speak_on_the_loop() -> None:
        speak()

    with app(capture_logs="INFO") as tickerq:
        run = add_run(tickerq, speak_on_the_loop if is_async else speak)
        execute(tickerq)
        users_logger.warning("outside")
        (line,) = tickerq.runs.get(run.id).logs
        assert (line.level, line.message) == ("WARNING", "1 of 2")


@only_sqlite
def test_what_a_function_prints_is_captured_where_a_worker_redirects_it(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    for stream in ("stdout", "stderr", "__stdout__", "__stderr__"):
        monkeypatch.setattr(sys, stream, getattr(sys, stream))  # put back in the end
    with app(capture_logs="INFO") as tickerq:
        run = add_run(tickerq, lambda: print("hello"))
        tickerq.app.log.redirect_stdouts_to_logger(logging.getLogger("celery.redirected"), "WARNING")
        execute(tickerq)
        (line,) = tickerq.runs.get(run.id).logs
        assert (line.level, line.message) == ("WARNING", "hello")


@only_sqlite
def test_without_the_setting_nothing_is_captured(tickerq: TickerQ) -> None:
    run = add_run(tickerq, lambda context: users_logger.warning("not kept"))
    execute(tickerq)
    assert tickerq.runs.get(run.id).logs == ()


def test_a_level_that_logging_does_not_know_is_refused() -> None:
    with pytest.raises(ConfigError, match="tickerq_capture_logs: no such level"):
        TickerConfig(capture_logs="LOUD")


@only_sqlite
def test_a_thread_writes_at_once_and_then_once_a_second(
    tickerq: TickerQ, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    pauses: list[float] = []
    flushed, again, is_over = threading.Event(), threading.Event(), threading.Event()

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        flushed.set()
        again.wait(10)
        if is_over.is_set():
            raise SystemExit  # ends the thread in silence

    monkeypatch.setattr(reporting.time, "sleep", pause)
    seen: list[list[str]] = []

    def body(context: TickerContext) -> None:
        context.log("one")
        assert flushed.wait(10)
        context.log("two")
        context.log("three")
        seen.append(messages_of(tickerq.runs.get(context.id)))
        flushed.clear()
        again.set()
        assert flushed.wait(10)
        seen.append(messages_of(tickerq.runs.get(context.id)))

    add_run(tickerq, body)
    execute(tickerq)
    is_over.set()
    assert (seen, set(pauses)) == ([["one"], ["one", "two", "three"]], {1.0})
