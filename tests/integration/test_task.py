"""What one message becomes: at most one attempt, recorded, and told to Celery as it was."""

import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, NoReturn

import pytest
from celery import Celery, current_task
from celery.exceptions import Retry
from pydantic import BaseModel

from tests.integration.apps import (
    change_row,
    deliver,
    dispatch_due,
    enrol_worker,
    execute,
    fire_crons,
    messages,
    published,
    row_of,
    ticker_app,
)
from tests.manual_clock import START, ManualClock
from tickerq_celery import (
    CronTicker,
    Run,
    TerminateExecution,
    TickerCancelled,
    TickerContext,
    TickerQ,
    TickerStatus,
    TickerType,
    TimeTicker,
)
from tickerq_celery.errors import StoreError
from tickerq_celery.models import tickers
from tickerq_celery.task import TickerTask

Status = TickerStatus


class Welcome(BaseModel):
    user_id: int


@pytest.fixture
def tickerq(store_url: str, namespace: str, clock: ManualClock) -> Iterator[TickerQ]:
    with ticker_app(store_url, namespace, clock) as made:
        yield made


only_sqlite = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


def add(tickerq: TickerQ, body: Callable[..., Any], **fields: Any) -> Run:
    """Register ``body``, and schedule a run of it that is published at once."""
    tickerq.function("Body")(body)
    enrol_worker(tickerq)
    return tickerq.time_tickers.add(TimeTicker(function="Body", **fields))


def failing(error: BaseException) -> Callable[[], NoReturn]:
    def body() -> NoReturn:
        raise error

    return body


def test_a_body_that_returns_makes_its_run_done(tickerq: TickerQ, clock: ManualClock) -> None:
    run = add(tickerq, lambda: clock.advance(seconds=1))
    assert [result.state for result in execute(tickerq)] == ["SUCCESS"]
    done = tickerq.runs.get(run.id)
    assert (done.status, done.executed_at, done.held_for, done.next_attempt_at) == (
        Status.DONE, START + timedelta(seconds=1), None, None,
    )  # fmt: skip
    assert done.elapsed_ms is not None
    (attempt,) = done.attempts
    assert (attempt.number, attempt.status, attempt.traceback) == (0, Status.DONE, None)
    assert (attempt.started_at, attempt.finished_at) == (START, START + timedelta(seconds=1))


def test_a_run_that_was_claimed_late_is_due_done(tickerq: TickerQ, clock: ManualClock) -> None:
    run = add(tickerq, lambda: None, execution_time=START + timedelta(minutes=1))
    clock.advance(minutes=2)
    dispatch_due(tickerq)
    execute(tickerq)
    late = tickerq.runs.get(run.id)
    assert (late.status, late.is_due) == (Status.DUE_DONE, True)
    assert [attempt.status for attempt in late.attempts] == [Status.DUE_DONE]


def test_a_failed_attempt_waits_in_the_store_and_not_in_the_broker(
    tickerq: TickerQ, clock: ManualClock
) -> None:
    error = OSError("no route")
    run = add(tickerq, failing(error), retries=2, retry_intervals=[60, 300])
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
    run = add(tickerq, failing(error), retries=2, retry_intervals=[60, 300])
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

    run = add(tickerq, body, retries=1)
    execute(tickerq)
    clock.advance(seconds=30)
    dispatch_due(tickerq)
    execute(tickerq)
    done = tickerq.runs.get(run.id)
    assert (done.status, done.exception_type, done.retry_count) == (Status.DONE, None, 1)
    assert [attempt.exception_type for attempt in done.attempts] == ["OSError", None]


def test_a_second_copy_of_a_message_runs_nothing(tickerq: TickerQ) -> None:
    calls: list[int] = []
    run = add(tickerq, lambda: calls.append(1))
    (message,) = messages(tickerq)
    assert [deliver(tickerq, message).state for _ in range(3)] == ["SUCCESS", "IGNORED", "IGNORED"]
    assert calls == [1]
    assert len(tickerq.runs.get(run.id).attempts) == 1


def test_a_message_of_an_older_claim_runs_nothing(tickerq: TickerQ, clock: ManualClock) -> None:
    run = add(tickerq, failing(OSError()), retries=5, retry_intervals=[1])
    (message,) = messages(tickerq)
    deliver(tickerq, message)
    clock.advance(seconds=1)
    dispatch_due(tickerq)
    assert deliver(tickerq, message).state == "IGNORED"
    assert row_of(tickerq, run.id).status is Status.QUEUED
    assert [result.state for result in execute(tickerq)] == ["RETRY"]


def test_a_superseded_attempt_records_nothing(tickerq: TickerQ) -> None:
    def body(context: TickerContext[None]) -> None:
        change_row(tickerq, context.id, claim_no=tickers.c.claim_no + 1)

    run = add(tickerq, body)
    assert [result.state for result in execute(tickerq)] == ["IGNORED"]
    assert tickerq.runs.get(run.id).attempts == ()
    assert row_of(tickerq, run.id).status is Status.IN_PROGRESS


ID = "01a2103e-3d01-7221-9bcd-0423ee3e6d78"
GARBAGE = [
    "", "x", 0, 7, True, [], {}, [ID], [ID, 1, 2], [ID, "1"], [ID, 1.0], [ID, True], [ID, None], [1, ID],
    ["not-a-uuid", 1], [None, None], {"id": ID}, [[ID], 1], "01", b"ab", [ID, {}], {ID, 1},
]  # fmt: skip


@only_sqlite
@pytest.mark.parametrize("header", GARBAGE, ids=repr)
def test_a_broken_header_is_dropped_and_logged(
    tickerq: TickerQ, caplog: pytest.LogCaptureFixture, header: object
) -> None:
    calls: list[int] = []
    run = add(tickerq, lambda: calls.append(1))
    before = row_of(tickerq, run.id)
    with caplog.at_level(logging.WARNING):
        result = tickerq.app.tasks["tickerq.Body"].apply(headers={"ticker": header})
    assert (result.state, calls, row_of(tickerq, run.id)) == ("IGNORED", [], before)
    assert "broken ticker header" in caplog.text


@pytest.mark.parametrize("number", [0, -1, 2, 2**31 - 1, 2**31, 2**63, 2**200])
def test_a_claim_number_that_never_was_runs_nothing(tickerq: TickerQ, number: int) -> None:
    run = add(tickerq, lambda: None)
    before = row_of(tickerq, run.id)
    task = tickerq.app.tasks["tickerq.Body"]
    assert task.apply(headers={"ticker": [str(run.id), number]}).state == "IGNORED"
    assert row_of(tickerq, run.id) == before


@only_sqlite
@pytest.mark.parametrize("headers", [None, {}, {"other": [ID, 1]}, {"ticker": None}])
def test_a_message_without_a_ticker_records_nothing(
    tickerq: TickerQ, caplog: pytest.LogCaptureFixture, headers: Any
) -> None:
    calls: list[int] = []
    run = add(tickerq, lambda: calls.append(1))
    result = tickerq.app.tasks["tickerq.Body"].apply(headers=headers)
    assert (result.state, calls, row_of(tickerq, run.id).status) == ("IGNORED", [], Status.QUEUED)
    assert "names no ticker" in caplog.text


def test_a_task_of_the_users_own_may_have_the_base_class(namespace: str) -> None:
    app = Celery(namespace, broker="memory://", task_cls=TickerTask, set_as_current=False)

    @app.task(bind=True)
    def own(self: Any, number: int) -> int:
        if number < 0:
            raise self.retry(exc=ValueError("negative"), max_retries=0)
        return number + 1

    assert own.apply(args=(1,)).result == 2
    assert own(1) == 2
    assert own.apply(args=(-1,)).state == "FAILURE"
    assert isinstance(app.tasks["celery.backend_cleanup"], TickerTask)
    assert app.tasks["celery.accumulate"].apply(args=(1, 2)).result == (1, 2)


def test_a_request_that_does_not_fit_any_more_fails_the_attempt_and_names_the_field(
    tickerq: TickerQ,
) -> None:
    calls: list[Welcome] = []

    def body(request: Welcome) -> None:
        calls.append(request)

    run = add(tickerq, body, request={"user_id": 7}, execution_time=START + timedelta(hours=1))
    change_row(tickerq, run.id, request=b'{"user_id": "seven"}', due_at=START)
    dispatch_due(tickerq)
    assert [result.state for result in execute(tickerq)] == ["FAILURE"]
    failed = tickerq.runs.get(run.id)
    assert failed.exception_type == "tickerq_celery.errors.TickerValidationError"
    assert (failed.exception_message or "").startswith("request.user_id: ")
    assert (failed.status, len(failed.attempts), calls) == (Status.FAILED, 1, [])


SEEN: list[object] = []


def takes_nothing() -> None:
    SEEN.append(None)


def takes_request(request: Welcome) -> None:
    SEEN.append(request)


def takes_context(context: TickerContext[Welcome]) -> None:
    SEEN.append(context.request)


async def takes_request_in_a_loop(request: Welcome) -> None:
    SEEN.append(request)


async def takes_context_in_a_loop(context: TickerContext[Welcome]) -> None:
    SEEN.append(context.request)


@only_sqlite
@pytest.mark.parametrize(
    ("body", "seen"),
    [
        (takes_nothing, None),
        (takes_request, Welcome(user_id=7)),
        (takes_context, Welcome(user_id=7)),
        (takes_request_in_a_loop, Welcome(user_id=7)),
        (takes_context_in_a_loop, Welcome(user_id=7)),
    ],
)
def test_a_body_is_given_what_it_asks_for(
    tickerq: TickerQ, body: Callable[..., Any], seen: Welcome | None
) -> None:
    SEEN.clear()
    run = add(tickerq, body, request=None if seen is None else {"user_id": 7})
    execute(tickerq)
    assert [seen] == SEEN
    assert tickerq.runs.get(run.id).status is Status.DONE


@only_sqlite
def test_a_context_says_which_run_it_is(tickerq: TickerQ, clock: ManualClock) -> None:
    seen: list[TickerContext[Any]] = []

    def body(context: TickerContext) -> None:
        seen.append(context)
        raise OSError

    run = add(tickerq, body, request=[1, "a"], retries=1, retry_intervals=[0])
    execute(tickerq)
    dispatch_due(tickerq)
    execute(tickerq)
    first, second = seen
    assert (first.id, first.parent_id, first.type) == (run.id, None, TickerType.TIME_TICKER)
    assert (first.function_name, first.scheduled_for, first.is_due) == ("Body", START, False)
    assert (first.retry_count, second.retry_count) == (0, 1)
    assert first.request == [1, "a"]


@only_sqlite
def test_an_occurrences_parent_is_its_cron_ticker(tickerq: TickerQ, clock: ManualClock) -> None:
    seen: list[TickerContext[Any]] = []
    tickerq.function("Body")(seen.append)
    enrol_worker(tickerq)
    cron = tickerq.cron_tickers.add(CronTicker(function="Body", expression="* * * * *"))
    clock.advance(minutes=1)
    fire_crons(tickerq)
    dispatch_due(tickerq)
    execute(tickerq)
    assert [(each.parent_id, each.type) for each in seen] == [(cron.id, TickerType.CRON_TICKER_OCCURRENCE)]


def test_an_async_body_that_raises_is_a_failed_attempt(tickerq: TickerQ) -> None:
    async def body() -> None:
        raise OSError("in a loop")

    run = add(tickerq, body)
    execute(tickerq)
    assert tickerq.runs.get(run.id).exception_message == "in a loop"


@pytest.mark.parametrize(
    ("asked", "status", "reason", "message"),
    [
        (None, Status.SKIPPED, "why", None),
        (Status.SKIPPED, Status.SKIPPED, "why", None),
        (Status.DONE, Status.DONE, None, "why"),
        (Status.FAILED, Status.FAILED, None, "why"),
        (Status.CANCELLED, Status.CANCELLED, None, "why"),
        (5, Status.FAILED, None, "why"),
    ],
)
def test_a_body_may_end_its_run_with_a_status(
    tickerq: TickerQ, asked: int | None, status: TickerStatus, reason: str | None, message: str | None
) -> None:
    run = add(tickerq, failing(TerminateExecution("why", asked)), retries=3)
    execute(tickerq)
    ended = tickerq.runs.get(run.id)
    assert (ended.status, ended.skipped_reason, ended.exception_message) == (status, reason, message)
    assert (ended.retry_count, [each.status for each in ended.attempts]) == (0, [status])


@only_sqlite
@pytest.mark.parametrize("asked", [Status.IDLE, Status.QUEUED, Status.IN_PROGRESS, 99, -1, "Done"])
def test_a_status_that_ends_nothing_fails_the_run(tickerq: TickerQ, asked: Any) -> None:
    run = add(tickerq, failing(TerminateExecution("why", asked)), retries=3)
    execute(tickerq)
    ended = tickerq.runs.get(run.id)
    assert (ended.status, len(ended.attempts)) == (Status.FAILED, 1)
    assert "why" in (ended.exception_message or "")


def test_a_body_that_was_cancelled_is_not_retried(tickerq: TickerQ) -> None:
    run = add(tickerq, failing(TickerCancelled()), retries=3)
    assert [result.state for result in execute(tickerq)] == ["IGNORED"]
    ended = tickerq.runs.get(run.id)
    assert (ended.status, ended.retry_count) == (Status.CANCELLED, 0)
    assert [attempt.status for attempt in ended.attempts] == [Status.CANCELLED]


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit()])
def test_a_process_that_is_told_to_go_gives_its_run_to_another(
    tickerq: TickerQ, error: BaseException
) -> None:
    run = add(tickerq, failing(error), retries=0)
    with pytest.raises(type(error)):
        execute(tickerq)
    row = row_of(tickerq, run.id)
    assert (row.status, row.due_at, row.retry_count, row.rescue_count) == (Status.IDLE, START, 0, 1)
    assert [attempt.exception_type for attempt in tickerq.runs.get(run.id).attempts] == ["WorkerLost"]


@pytest.mark.parametrize("countdown", [0, 7, 2.5])
def test_a_countdown_asked_for_in_the_body_replaces_the_interval(tickerq: TickerQ, countdown: float) -> None:
    def body() -> None:
        raise current_task.retry(exc=OSError("later"), countdown=countdown)

    run = add(tickerq, body, retries=1, retry_intervals=[60])
    (result,) = execute(tickerq)
    assert (result.state, str(result.result.exc), result.result.when) == ("RETRY", "later", countdown)
    row = row_of(tickerq, run.id)
    assert (row.status, row.due_at) == (Status.IDLE, START + timedelta(seconds=countdown))
    assert (row.exception_type, row.retry_count) == ("OSError", 1)
    assert published(tickerq) == []


class Picky(Exception):  # noqa: N818 - a name of the user's
    def __init__(self, first: int, second: int) -> None:
        super().__init__("cannot be pickled")


def asks_for_a_retry() -> None:
    current_task.retry(countdown=5)


def asks_for_a_retry_with_a_reason() -> None:
    current_task.retry(exc=Picky(1, 2))


def asks_for_a_retry_while_it_handles() -> None:
    try:
        raise Picky(1, 2)
    except Picky:
        current_task.retry()


@pytest.mark.parametrize(
    ("body", "raised", "kept"),
    [
        (asks_for_a_retry, "MaxRetriesExceededError", "celery.exceptions.Retry"),
        (asks_for_a_retry_with_a_reason, "Picky", f"{__name__}.Picky"),
        (asks_for_a_retry_while_it_handles, "Picky", f"{__name__}.Picky"),
    ],
)
def test_a_retry_asked_for_when_none_is_left_fails_the_run(
    tickerq: TickerQ, body: Callable[[], None], raised: str, kept: str
) -> None:
    run = add(tickerq, body, retries=0)
    (result,) = execute(tickerq)
    # Celery wraps what cannot be pickled, and keeps its name.
    assert (result.state, raised in repr(result.result)) == ("FAILURE", True)
    failed = tickerq.runs.get(run.id)
    assert (failed.status, failed.exception_type) == (Status.FAILED, kept)


def test_a_text_that_no_database_takes_is_still_kept(tickerq: TickerQ) -> None:
    run = add(tickerq, failing(OSError("nul \x00, surrogate \ud800, " + "x" * 100_000)))
    execute(tickerq)
    failed = tickerq.runs.get(run.id)
    assert (failed.exception_message or "").startswith("nul \\x00, surrogate \\ud800, xxx")


@only_sqlite
def test_an_error_without_a_text_is_still_kept(tickerq: TickerQ) -> None:
    class Mute(Exception):  # noqa: N818 - a name of the user's
        def __str__(self) -> str:
            raise RuntimeError("no text")

    run = add(tickerq, failing(Mute()))
    execute(tickerq)
    assert "whose text cannot be made" in (tickerq.runs.get(run.id).exception_message or "")


@only_sqlite
def test_what_an_app_sets_for_its_tasks_does_not_reach_ours(store_url: str, namespace: str) -> None:
    with ticker_app(store_url, namespace) as tickerq:
        tickerq.app.conf.update(
            task_acks_late=True, task_ignore_result=False, task_serializer="pickle", task_annotations=None
        )
        add(tickerq, lambda: None)
        task = tickerq.app.tasks["tickerq.Body"]
        assert (task.acks_late, task.ignore_result, task.serializer) == (False, True, "json")
        (message,) = messages(tickerq)
        assert (message.content_type, message.headers["ignore_result"]) == ("application/json", True)


@only_sqlite
def test_a_store_that_is_away_at_the_start_leaves_the_run_queued(
    tickerq: TickerQ, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    run = add(tickerq, lambda: None)

    def away(*_: object) -> NoReturn:
        raise StoreError("away")

    monkeypatch.setattr(tickerq._recorder, "start", away)
    assert [result.state for result in execute(tickerq)] == ["IGNORED"]
    assert row_of(tickerq, run.id).status is Status.QUEUED
    assert "waits for its next message" in caplog.text
