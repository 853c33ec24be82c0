"""What a function does to its own run by what it raises and asks for, from the message to the row."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from celery import current_task
from celery.exceptions import Ignore, Reject

from tests.integration.apps import (
    add_run,
    dispatch_due,
    enrol_worker,
    execute,
    failing,
    fire_crons,
    messages,
    row_of,
    ticker_app,
)
from tests.manual_clock import START, ManualClock
from tickerq_celery import (
    CronTicker,
    TerminateExecution,
    TickerContext,
    TickerQ,
    TickerStatus,
    TickerType,
    TimeTicker,
)
from tickerq_celery.errors import TickerStateError, TickerValidationError

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)

Status = TickerStatus


class Handler:
    """Notes what it is given."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []

    def handle_exception(self, exception: BaseException, ticker_id: UUID, ticker_type: TickerType) -> None:
        self.calls.append(("failed", type(exception).__name__))

    def handle_canceled_exception(
        self, exception: BaseException, ticker_id: UUID, ticker_type: TickerType
    ) -> None:
        self.calls.append(("cancelled", type(exception).__name__))


@pytest.fixture
def handler() -> Handler:
    return Handler()


@pytest.fixture
def tickerq(store_url: str, namespace: str, clock: ManualClock, handler: Handler) -> Iterator[TickerQ]:
    with ticker_app(store_url, namespace, clock, exception_handler=handler) as made:
        yield made


def gives_up(context: TickerContext[None]) -> None:
    context.request_cancellation()
    assert context.cancellation_requested
    context.raise_if_cancelled()


def fails_after_it_gave_up(context: TickerContext[None]) -> None:
    context.request_cancellation()
    raise OSError("no route")


async def gives_up_in_a_loop(context: TickerContext[None]) -> None:
    context.request_cancellation()


def test_ends_are_as_the_function_wants_and_the_handler_is_called_for_accidents_only(
    tickerq: TickerQ, handler: Handler
) -> None:
    ways: dict[str, tuple[Callable[..., Any], Status, str | None, list[tuple[str, str]]]] = {
        "Ignore": (failing(Ignore("not mine")), Status.SKIPPED, "not mine", []),
        "Reject": (failing(Reject("malformed")), Status.FAILED, None, []),
        "Again": (failing(Reject("busy", requeue=True)), Status.IDLE, None, []),
        "Done": (failing(TerminateExecution("enough", Status.DONE)), Status.DONE, None, []),
        "GivesUp": (gives_up, Status.CANCELLED, None, [("cancelled", "TickerCancelled")]),
        "Fails": (fails_after_it_gave_up, Status.CANCELLED, None, [("cancelled", "OSError")]),
        "Loop": (gives_up_in_a_loop, Status.DONE, None, []),
    }
    for name, (body, _, _, _) in ways.items():
        tickerq.function(name)(body)
    enrol_worker(tickerq)
    for name, (_, status, reason, calls) in ways.items():
        handler.calls.clear()
        run = tickerq.time_tickers.add(TimeTicker(function=name, retries=3))
        execute(tickerq)
        ended = tickerq.runs.get(run.id)
        assert (name, ended.status, ended.skipped_reason, handler.calls) == (name, status, reason, calls)
        assert (ended.retry_count, len(ended.attempts), ended.cancel_requested) == (0, 1, False)


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_rejected_run_that_is_put_back_starts_again_a_few_times(tickerq: TickerQ) -> None:
    run = add_run(tickerq, failing(Reject("busy", requeue=True)))
    for _ in range(5):
        execute(tickerq)
        dispatch_due(tickerq)
    ended = tickerq.runs.get(run.id)
    most = tickerq.config.max_rescues
    assert (ended.status, ended.rescue_count, len(ended.attempts)) == (Status.FAILED, most, most + 1)


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_retry_by_eta_waits_until_then_and_a_naive_one_is_refused(
    tickerq: TickerQ, clock: ManualClock
) -> None:
    at = START + timedelta(hours=2)

    def body(context: TickerContext[None]) -> None:
        if context.retry_count == 1:
            raise current_task.retry(eta=at.replace(tzinfo=None), max_retries=7, throw=False)
        current_task.retry(eta=at, max_retries=1)

    run = add_run(tickerq, body)
    execute(tickerq)
    assert row_of(tickerq, run.id).due_at == at
    clock.advance(hours=2)
    dispatch_due(tickerq)
    execute(tickerq)
    failed = tickerq.runs.get(run.id)
    assert (failed.status, failed.exception_type) == (
        Status.FAILED, f"{TickerValidationError.__module__}.TickerValidationError",
    )  # fmt: skip


def test_a_context_of_no_run_is_never_cancelled_skips_nothing_and_is_its_own() -> None:
    context = TickerContext(
        id=UUID(int=1),
        parent_id=None,
        type=TickerType.TIME_TICKER,
        function_name="Body",
        retry_count=0,
        is_late=False,
        scheduled_for=None,
        request=None,
    )
    assert not context.cancellation_requested
    context.raise_if_cancelled()
    context.skip_if_already_running()
    context.ensure_owned()
    with pytest.raises(TickerStateError, match="is not being executed"):
        context.request_cancellation()


def test_timeouts_are_kept_and_travel_with_the_message(tickerq: TickerQ, clock: ManualClock) -> None:
    run = add_run(tickerq, lambda: None, timeout=timedelta(minutes=1))
    assert (tickerq.runs.get(run.id).timeout, tickerq.runs.get(run.id).hard_timeout) == (MINUTE, None)
    plain = tickerq.time_tickers.add(TimeTicker(function="Body"))
    cron = tickerq.cron_tickers.add(
        CronTicker(function="Body", expression="* * * * *", timeout=5, hard_timeout=6)
    )
    clock.advance(minutes=1)
    fire_crons(tickerq)
    dispatch_due(tickerq)
    [occurrence] = tickerq.cron_tickers.occurrences(cron.id)
    limits = {each.headers["ticker"][0]: list(each.headers["timelimit"]) for each in messages(tickerq)}
    # Celery's limit leaves one lease for the end to be written.
    lease = tickerq.config.lease.total_seconds()
    assert limits == {
        str(run.id): [90 + lease, None],
        str(plain.id): [None, None],
        str(occurrence.id): [6 + lease, None],
    }


def test_a_tickers_hard_timeout_cannot_undercut_its_functions_timeout(tickerq: TickerQ) -> None:
    tickerq.function("Slow", timeout=6)(lambda: None)
    with pytest.raises(TickerValidationError, match=r"^hard_timeout: must be more than"):
        tickerq.time_tickers.add(TimeTicker(function="Slow", hard_timeout=2))
    assert tickerq.time_tickers.add(TimeTicker(function="Slow", timeout=1, hard_timeout=2)).timeout == SECOND


def test_a_timeout_can_be_changed_and_a_wrong_one_is_refused(tickerq: TickerQ) -> None:
    later = START + timedelta(hours=1)
    run = add_run(tickerq, lambda: None, timeout=5, execution_time=later)
    assert tickerq.time_tickers.update(run.id, hard_timeout=9).hard_timeout == 9 * SECOND
    with pytest.raises(TickerValidationError, match="hard_timeout: must be more than timeout, 5 s"):
        tickerq.time_tickers.update(run.id, hard_timeout=4)
    with pytest.raises(TickerValidationError, match=r"timeout: must be .* more than 0 s"):
        tickerq.time_tickers.add(TimeTicker(function="Body", timeout=0))
    assert tickerq.runs.get(run.id).hard_timeout == 9 * SECOND
