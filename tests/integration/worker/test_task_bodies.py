"""How a function's body is called, and what its ways to end mean."""

import asyncio
import functools
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from celery import current_task
from pydantic import BaseModel

from tests.integration.apps import (
    add_run,
    dispatch_due,
    enrol_worker,
    execute,
    failing,
    fire_crons,
    published,
    row_of,
    ticker_app,
)
from tests.manual_clock import START, ManualClock
from tickerq_celery import (
    CronTicker,
    TerminateExecution,
    TickerCancelled,
    TickerContext,
    TickerQ,
    TickerStatus,
    TickerType,
    TimeTicker,
)

Status = TickerStatus


class Welcome(BaseModel):
    user_id: int


@pytest.fixture
def tickerq(store_url: str, namespace: str, clock: ManualClock) -> Iterator[TickerQ]:
    with ticker_app(store_url, namespace, clock) as made:
        yield made


only_sqlite = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


def test_a_request_that_does_not_fit_any_more_fails_the_attempt_and_names_the_field(
    tickerq: TickerQ, clock: ManualClock
) -> None:
    calls: list[Welcome] = []

    def body(request: Welcome) -> None:
        calls.append(request)

    # As a process adds it that has not the function, or has it as it was.
    unchecked = TimeTicker(
        function="Body", request={"user_id": "seven"}, execution_time=START + timedelta(hours=1)
    )
    run = tickerq.time_tickers.add(unchecked, allow_unknown=True)
    tickerq.function("Body")(body)
    enrol_worker(tickerq)
    clock.advance(hours=1)
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


class Mailer:
    """Its methods and its instances can be functions."""

    def send(self, request: Welcome) -> None:
        SEEN.append(request)

    def __call__(self, request: Welcome) -> None:
        SEEN.append(request)


@only_sqlite
@pytest.mark.parametrize(
    ("body", "seen"),
    [
        (takes_nothing, None),
        (lambda: SEEN.append(None), None),
        (Mailer().send, Welcome(user_id=7)),
        (Mailer(), Welcome(user_id=7)),
        (functools.partial(Mailer.send, Mailer()), Welcome(user_id=7)),
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
    run = add_run(tickerq, body, request=None if seen is None else {"user_id": 7})
    execute(tickerq)
    assert [seen] == SEEN
    assert tickerq.runs.get(run.id).status is Status.DONE


@only_sqlite
def test_a_context_says_which_run_it_is(tickerq: TickerQ, clock: ManualClock) -> None:
    seen: list[TickerContext[Any]] = []

    def body(context: TickerContext) -> None:
        seen.append(context)
        raise OSError

    run = add_run(tickerq, body, request=[1, "a"], retries=1, retry_intervals=[0])
    execute(tickerq)
    dispatch_due(tickerq)
    execute(tickerq)
    first, second = seen
    assert (first.id, first.parent_id, first.type) == (run.id, None, TickerType.TIME_TICKER)
    assert (first.function_name, first.scheduled_for, first.is_late) == ("Body", START, False)
    assert (first.retry_count, second.retry_count) == (0, 1)
    assert first.request == [1, "a"]


@only_sqlite
def test_an_occurrences_parent_is_its_cron_ticker(tickerq: TickerQ, clock: ManualClock) -> None:
    seen: list[TickerContext[Any]] = []
    tickerq.function("Body")(lambda context: [seen.append(context)])
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

    run = add_run(tickerq, body)
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
    run = add_run(tickerq, failing(TerminateExecution("why", asked)), retries=3)
    execute(tickerq)
    ended = tickerq.runs.get(run.id)
    assert (ended.status, ended.skipped_reason, ended.exception_message) == (status, reason, message)
    assert (ended.retry_count, [each.status for each in ended.attempts]) == (0, [status])


@only_sqlite
def test_a_body_may_name_the_status_by_its_word(tickerq: TickerQ) -> None:
    run = add_run(tickerq, failing(TerminateExecution("why", "Cancelled")), retries=3)
    execute(tickerq)
    assert tickerq.runs.get(run.id).status is Status.CANCELLED


@only_sqlite
@pytest.mark.parametrize("asked", [Status.IDLE, Status.QUEUED, Status.IN_PROGRESS, 99, -1, "Dun", "Idle"])
def test_a_status_that_ends_nothing_fails_the_run(tickerq: TickerQ, asked: Any) -> None:
    run = add_run(tickerq, failing(TerminateExecution("why", asked)), retries=3)
    execute(tickerq)
    ended = tickerq.runs.get(run.id)
    assert (ended.status, len(ended.attempts)) == (Status.FAILED, 1)
    assert "why" in (ended.exception_message or "")


def test_a_body_that_was_cancelled_is_not_retried(tickerq: TickerQ) -> None:
    run = add_run(tickerq, failing(TickerCancelled()), retries=3)
    assert [result.state for result in execute(tickerq)] == ["IGNORED"]
    ended = tickerq.runs.get(run.id)
    assert (ended.status, ended.retry_count) == (Status.CANCELLED, 0)
    assert [attempt.status for attempt in ended.attempts] == [Status.CANCELLED]


EXITS = pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit()], ids=repr)


@EXITS
def test_a_process_that_is_asked_to_exit_gives_its_run_to_another(
    tickerq: TickerQ, error: BaseException
) -> None:
    assert_lost(tickerq, failing(error), error)


@only_sqlite
@EXITS
def test_so_does_one_that_is_asked_to_on_its_event_loop_which_lives_on(
    tickerq: TickerQ, error: BaseException
) -> None:
    loops: list[object] = []

    async def body() -> None:
        loops.append(asyncio.get_running_loop())
        if len(loops) == 1:
            raise error

    run_id = assert_lost(tickerq, body, error)
    dispatch_due(tickerq)
    execute(tickerq)
    assert tickerq.runs.get(run_id).status is Status.DONE
    assert len(loops) == 2
    assert len(set(loops)) == 1


def assert_lost(tickerq: TickerQ, body: Callable[..., Any], error: BaseException) -> UUID:
    run = add_run(tickerq, body, retries=0)
    with pytest.raises(type(error)):
        execute(tickerq)
    row = row_of(tickerq, run.id)
    assert (row.status, row.due_at, row.retry_count, row.rescue_count) == (Status.IDLE, START, 0, 1)
    assert [attempt.exception_type for attempt in tickerq.runs.get(run.id).attempts] == ["WorkerLost"]
    return run.id


@pytest.mark.parametrize("countdown", [0, 7, 2.5])
def test_a_countdown_asked_for_in_the_body_replaces_the_interval(tickerq: TickerQ, countdown: float) -> None:
    def body() -> None:
        raise current_task.retry(exc=OSError("later"), countdown=countdown)

    run = add_run(tickerq, body, retries=1, retry_intervals=[60])
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
    run = add_run(tickerq, body, retries=0)
    (result,) = execute(tickerq)
    # Celery wraps what cannot be pickled, and keeps its name.
    assert (result.state, raised in repr(result.result)) == ("FAILURE", True)
    failed = tickerq.runs.get(run.id)
    assert (failed.status, failed.exception_type) == (Status.FAILED, kept)


@only_sqlite
def test_an_error_without_a_text_is_still_kept(tickerq: TickerQ) -> None:
    class Mute(Exception):  # noqa: N818 - a name of the user's
        def __str__(self) -> str:
            raise RuntimeError("no text")

    run = add_run(tickerq, failing(Mute()))
    execute(tickerq)
    assert "whose text cannot be made" in (tickerq.runs.get(run.id).exception_message or "")
