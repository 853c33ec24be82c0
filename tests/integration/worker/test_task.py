"""What one message becomes: at most one attempt, recorded, and reported to Celery as it was."""

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, NoReturn

import pytest
from celery.exceptions import Retry

from tests.inner import DropReason
from tests.integration.apps import (
    add_run,
    change_row,
    deliver,
    dispatch_due,
    execute,
    failing,
    messages,
    published,
    row_of,
    ticker_app,
)
from tests.manual_clock import START, ManualClock
from tests.tables import tickers
from tickerq_celery import TerminateExecution, TickerCancelled, TickerContext, TickerQ, TickerStatus
from tickerq_celery.errors import StoreError
from tickerq_celery.worker.request import Dropped

Status = TickerStatus


@pytest.fixture
def tickerq(store_url: str, namespace: str, clock: ManualClock) -> Iterator[TickerQ]:
    with ticker_app(store_url, namespace, clock) as made:
        yield made


only_sqlite = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


def test_a_body_that_returns_makes_its_run_done(tickerq: TickerQ, clock: ManualClock) -> None:
    run = add_run(tickerq, lambda: clock.advance(seconds=1))
    assert [result.state for result in execute(tickerq)] == ["SUCCESS"]
    done = tickerq.runs.get(run.id)
    assert (done.status, done.ended_at, done.held_for, done.next_attempt_at) == (
        Status.DONE, START + timedelta(seconds=1), None, None,
    )  # fmt: skip
    assert done.elapsed is not None
    (attempt,) = done.attempts
    assert (attempt.number, attempt.status, attempt.traceback) == (0, Status.DONE, None)
    assert (attempt.started_at, attempt.ended_at) == (START, START + timedelta(seconds=1))


def test_a_run_that_was_claimed_late_is_due_done(tickerq: TickerQ, clock: ManualClock) -> None:
    run = add_run(tickerq, lambda: None, execution_time=START + timedelta(minutes=1))
    clock.advance(minutes=2)
    dispatch_due(tickerq)
    execute(tickerq)
    late = tickerq.runs.get(run.id)
    assert (late.status, late.is_late) == (Status.DUE_DONE, True)
    assert [attempt.status for attempt in late.attempts] == [Status.DUE_DONE]


def test_a_failed_attempt_waits_in_the_store_and_not_in_the_broker(
    tickerq: TickerQ, clock: ManualClock
) -> None:
    error = OSError("no route")
    run = add_run(tickerq, failing(error), retries=2, retry_intervals=[60, 300])
    (result,) = execute(tickerq)
    assert (result.state, type(result.result), result.result.exc, result.result.when) == (
        "RETRY", Retry, error, 60.0,
    )  # fmt: skip
    assert published(tickerq) == []
    row = row_of(tickerq, run.id)
    assert (row.status, row.due_at, row.retry_count) == (Status.IDLE, START + timedelta(minutes=1), 1)
    assert (row.exception_type, row.exception_message, row.ended_at) == ("OSError", "no route", None)


def test_the_last_failure_raises_what_the_body_raised(tickerq: TickerQ, clock: ManualClock) -> None:
    error = OSError("no route")
    run = add_run(tickerq, failing(error), retries=2, retry_intervals=[60, 300])
    states = []
    for minutes in (1, 5, 0):
        states += [(result.state, result.result is error) for result in execute(tickerq)]
        clock.advance(minutes=minutes)
        dispatch_due(tickerq)
    assert states == [("RETRY", False), ("RETRY", False), ("FAILURE", True)]
    failed = tickerq.runs.get(run.id)
    assert (failed.status, failed.retry_count, failed.next_attempt_at) == (Status.FAILED, 2, None)
    assert [(each.number, each.status) for each in failed.attempts] == [(n, Status.FAILED) for n in range(3)]


def test_a_retry_that_succeeds_forgets_the_error_and_keeps_the_attempt(
    tickerq: TickerQ, clock: ManualClock
) -> None:
    def body(context: TickerContext[None]) -> None:
        if context.retry_count == 0:
            raise OSError("no route")

    run = add_run(tickerq, body, retries=1)
    execute(tickerq)
    clock.advance(seconds=30)
    dispatch_due(tickerq)
    execute(tickerq)
    done = tickerq.runs.get(run.id)
    assert (done.status, done.exception_type, done.retry_count) == (Status.DONE, None, 1)
    assert [attempt.exception_type for attempt in done.attempts] == ["OSError", None]


def test_the_elapsed_time_of_a_run_is_that_of_its_last_attempt(
    tickerq: TickerQ, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tickerq_celery.worker.completion.time", clock)

    def body(context: TickerContext[None]) -> None:
        if context.retry_count == 0:
            clock.advance(seconds=7)
            raise OSError("no route")
        assert tickerq.runs.get(context.id).elapsed is None
        clock.advance(seconds=1.5)

    run = add_run(tickerq, body, retries=1)
    execute(tickerq)
    assert tickerq.runs.get(run.id).elapsed == timedelta(seconds=7)
    clock.advance(seconds=30)
    dispatch_due(tickerq)
    execute(tickerq)
    assert tickerq.runs.get(run.id).elapsed == timedelta(seconds=1.5)


def test_a_second_copy_of_a_message_runs_nothing(tickerq: TickerQ) -> None:
    calls: list[int] = []
    run = add_run(tickerq, lambda: calls.append(1))
    (message,) = messages(tickerq)
    first, *others = [deliver(tickerq, message) for _ in range(3)]
    assert [result.state for result in (first, *others)] == ["SUCCESS", "IGNORED", "IGNORED"]
    assert [result.result.reason for result in others] == [DropReason.STARTED_ALREADY] * 2
    assert calls == [1]
    assert len(tickerq.runs.get(run.id).attempts) == 1


def test_a_message_of_an_older_claim_runs_nothing(tickerq: TickerQ, clock: ManualClock) -> None:
    run = add_run(tickerq, failing(OSError()), retries=5, retry_intervals=[1])
    (message,) = messages(tickerq)
    deliver(tickerq, message)
    clock.advance(seconds=1)
    dispatch_due(tickerq)
    stale = deliver(tickerq, message)
    assert (stale.state, stale.result.reason) == ("IGNORED", DropReason.OLD_CLAIM)
    assert row_of(tickerq, run.id).status is Status.QUEUED
    assert [result.state for result in execute(tickerq)] == ["RETRY"]


def test_a_superseded_attempt_records_nothing(tickerq: TickerQ) -> None:
    def body(context: TickerContext[None]) -> None:
        change_row(tickerq, context.id, claim_no=tickers.c.claim_no + 1)

    run = add_run(tickerq, body)
    (result,) = execute(tickerq)
    assert (result.state, result.result.reason) == ("IGNORED", DropReason.SUPERSEDED)
    assert tickerq.runs.get(run.id).attempts == ()
    assert row_of(tickerq, run.id).status is Status.IN_PROGRESS


def test_a_superseded_attempt_that_fails_is_no_failure_of_the_run(tickerq: TickerQ) -> None:
    def body(context: TickerContext[None]) -> None:
        change_row(tickerq, context.id, claim_no=tickers.c.claim_no + 1)
        raise OSError("no route")

    run = add_run(tickerq, body)
    (result,) = execute(tickerq)
    assert (result.state, result.result.reason) == ("IGNORED", DropReason.SUPERSEDED)
    assert row_of(tickerq, run.id).exception_type is None


def test_a_message_of_a_run_that_is_gone_runs_nothing(
    tickerq: TickerQ, caplog: pytest.LogCaptureFixture
) -> None:
    run = add_run(tickerq, lambda: None)
    (message,) = messages(tickerq)
    tickerq.time_tickers.delete(run.id)
    with caplog.at_level(logging.INFO, "tickerq_celery"):
        result = deliver(tickerq, message)
    assert (result.state, result.result.reason) == ("IGNORED", DropReason.UNKNOWN_ID)
    assert caplog.messages == [f"dropped a stale message of run {run.id}, claim 1: unknown_id"]


@pytest.mark.parametrize("error", [TerminateExecution("nothing to do"), TickerCancelled()])
def test_a_body_that_ends_its_run_drops_nothing(tickerq: TickerQ, error: Exception) -> None:
    add_run(tickerq, failing(error))
    (result,) = execute(tickerq)
    assert result.state == "IGNORED"
    assert not isinstance(result.result, Dropped)


ID = "01a2103e-3d01-7221-9bcd-0423ee3e6d78"
GARBAGE = [
    "", "x", 0, 7, True, [], {}, [ID], [ID, 1, 2], [ID, "1"], [ID, 1.0], [ID, True], [ID, None], [1, ID],
    ["not-a-uuid", 1], [None, None], {"id": ID}, [[ID], 1], "01", b"ab", [ID, {}], {ID},
]  # fmt: skip


@only_sqlite
@pytest.mark.parametrize("header", GARBAGE, ids=repr)
def test_a_broken_header_is_dropped_and_logged(
    tickerq: TickerQ, caplog: pytest.LogCaptureFixture, header: object
) -> None:
    calls: list[int] = []
    run = add_run(tickerq, lambda: calls.append(1))
    before = row_of(tickerq, run.id)
    with caplog.at_level(logging.WARNING):
        result = tickerq.app.tasks["tickerq.Body"].apply(headers={"ticker": header})
    assert (result.state, calls, row_of(tickerq, run.id)) == ("IGNORED", [], before)
    assert result.result.reason is DropReason.BROKEN_HEADER
    (line,) = caplog.messages
    assert "broken ticker header" in line


@pytest.mark.parametrize("number", [0, -1, 2, 2**31 - 1, 2**31, 2**63, 2**200])
def test_a_claim_number_that_never_was_runs_nothing(tickerq: TickerQ, number: int) -> None:
    run = add_run(tickerq, lambda: None)
    before = row_of(tickerq, run.id)
    task = tickerq.app.tasks["tickerq.Body"]
    result = task.apply(headers={"ticker": [str(run.id), number]})
    is_possible = 0 < number < 2**31
    reason = DropReason.OLD_CLAIM if is_possible else DropReason.BROKEN_HEADER
    assert (result.state, result.result.reason) == ("IGNORED", reason)
    assert row_of(tickerq, run.id) == before


@only_sqlite
@pytest.mark.parametrize("headers", [None, {}, {"other": [ID, 1]}, {"ticker": None}])
def test_a_message_without_a_ticker_records_nothing(
    tickerq: TickerQ, caplog: pytest.LogCaptureFixture, headers: Any
) -> None:
    calls: list[int] = []
    run = add_run(tickerq, lambda: calls.append(1))
    result = tickerq.app.tasks["tickerq.Body"].apply(headers=headers)
    assert (result.state, calls, row_of(tickerq, run.id).status) == ("IGNORED", [], Status.QUEUED)
    assert result.result.reason is DropReason.UNADDRESSED
    assert "names no ticker" in caplog.text


def test_a_text_that_no_database_takes_is_still_kept(
    tickerq: TickerQ, caplog: pytest.LogCaptureFixture
) -> None:
    # Celery's own line shows the text as it is, and a report of a test that holds it cannot be sent.
    caplog.set_level(logging.CRITICAL, logger="celery.app.trace")
    run = add_run(tickerq, failing(OSError("nul \x00, surrogate \ud800, " + "x" * 100_000)))
    execute(tickerq)
    failed = tickerq.runs.get(run.id)
    assert (failed.exception_message or "").startswith("nul \\x00, surrogate \\ud800, xxx")


@only_sqlite
def test_what_an_app_sets_for_its_tasks_does_not_reach_ours(store_url: str, namespace: str) -> None:
    with ticker_app(store_url, namespace) as tickerq:
        tickerq.app.conf.update(
            task_acks_late=True, task_ignore_result=False, task_serializer="pickle", task_annotations=None
        )
        add_run(tickerq, lambda: None)
        task = tickerq.app.tasks["tickerq.Body"]
        assert (task.acks_late, task.ignore_result, task.serializer) == (False, True, "json")
        (message,) = messages(tickerq)
        assert (message.content_type, message.headers["ignore_result"]) == ("application/json", True)


def test_an_end_whose_confirmation_was_lost_is_an_end(
    store_url: str, namespace: str, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    received: list[BaseException] = []

    class Handler:
        def handle_exception(self, exception: BaseException, *_: object) -> None:
            received.append(exception)

        handle_canceled_exception = handle_exception

    with ticker_app(store_url, namespace, clock, exception_handler=Handler) as tickerq:
        database = tickerq.core.database
        run_it, error = database.run, OSError("no route")

        def write_and_lose_the_answer(*arguments: Any, **options: Any) -> NoReturn:
            run_it(*arguments, **options)
            monkeypatch.setattr(database, "run", run_it)
            raise StoreError("lost connection during COMMIT")

        def body() -> NoReturn:
            monkeypatch.setattr(database, "run", write_and_lose_the_answer)
            raise error

        run = add_run(tickerq, body)
        assert [result.state for result in execute(tickerq)] == ["FAILURE"]
        assert received == [error]
        assert len(tickerq.runs.get(run.id).attempts) == 1


@only_sqlite
def test_an_unreachable_store_at_the_start_leaves_the_run_queued(
    tickerq: TickerQ, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    run = add_run(tickerq, lambda: None)

    def unreachable(*_: object) -> NoReturn:
        raise StoreError("unreachable")

    monkeypatch.setattr(tickerq._process.get().recorder, "start", unreachable)
    (result,) = execute(tickerq)
    assert (result.state, isinstance(result.result, Dropped)) == ("IGNORED", False)
    assert row_of(tickerq, run.id).status is Status.QUEUED
    assert "is not started: store unreachable (" in caplog.text
