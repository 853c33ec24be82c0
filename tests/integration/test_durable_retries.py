"""Retries of Celery tasks that lie further away than ``durable_eta``: the same run waits for them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from celery._state import _task_stack
from celery.exceptions import MaxRetriesExceededError, Retry

from tests.integration.apps import dispatch_due, enrol_worker, messages, row_of, ticker_app
from tests.integration.making import failure
from tests.integration.runs.calls import begun, end
from tests.manual_clock import START, ManualClock
from tickerq_celery import Run, TickerQ, TickerStatus
from tickerq_celery.broker.messages import execution_in
from tickerq_celery.payload.celery_call import call_in
from tickerq_celery.tickers.claims import Started, TaskExecution
from tickerq_celery.tickers.lifecycle import retried_by_celery
from tickerq_celery.worker import followed_run
from tickerq_celery.worker.followed_run import FollowedRun

HOUR = 3600


@pytest.fixture
def tickerq(store_url: str, namespace: str, clock: ManualClock) -> Iterator[TickerQ]:
    with ticker_app(store_url, namespace, clock, durable_eta=60) as made:

        @made.app.task(name="shop.again", shared=False, bind=True, max_retries=2)
        def again(self: Any, *args: Any, **options: Any) -> None: ...

        enrol_worker(made)
        yield made


def schedule(tickerq: TickerQ, clock: ManualClock, **options: Any) -> Run:
    """Call the task with a countdown that has passed."""
    tickerq.app.tasks["shop.again"].apply_async((1,), countdown=HOUR, **options)
    (run,) = tickerq.runs.find()
    clock.advance(hours=1)
    return run


def receive(tickerq: TickerQ) -> tuple[Any, Started]:
    """Publish what is due, and report the start of the one message."""
    dispatch_due(tickerq)
    (message,) = messages(tickerq)
    return message, begun(tickerq.core, execution_of_message(message))


def execution_of_message(message: Any) -> TaskExecution:
    execution = execution_in(message.headers, message.headers["retries"])
    assert execution is not None
    return execution


@contextmanager
def body(tickerq: TickerQ, message: Any, run: Started | None, **changes: Any) -> Iterator[Any]:
    """Let a worker's process execute the task of a message, which follows ``run``."""
    task = tickerq.app.tasks["shop.again"]
    headers = message.headers
    args, kwargs, embed = message.payload
    # As a worker makes it: what of the headers is no option of Celery's is handed on by a retry.
    request = headers | embed | {
        "args": args, "kwargs": kwargs, "called_directly": False, "is_eager": False,
        "delivery_info": {"exchange": "", "routing_key": tickerq.app.conf.task_default_queue},
    }  # fmt: skip
    task.push_request(request | changes)
    _task_stack.push(task)
    if run is not None:
        follows = FollowedRun(execution=execution_of_message(message), started=run)
        followed_run.keep(task.request, follows)
    try:
        yield task
    finally:
        _task_stack.pop()
        task.pop_request()


def retry(tickerq: TickerQ, message: Any, run: Started | None, **options: Any) -> None:
    with body(tickerq, message, run) as task, pytest.raises(Retry):
        task.retry(countdown=HOUR, **options)


def report_retry(tickerq: TickerQ, run: Started) -> None:
    end(tickerq.core, run, retried_by_celery(run.standing, failure(), timedelta(hours=1)))


def test_a_followed_execution_that_retries_lets_its_run_wait_for_it(
    tickerq: TickerQ, clock: ManualClock
) -> None:
    scheduled = schedule(tickerq, clock, link=tickerq.app.tasks["shop.again"].s())
    message, run = receive(tickerq)
    retry(tickerq, message, run)
    (waiting,) = tickerq.runs.find()
    assert (waiting.id, waiting.task_id, waiting.status) == (
        scheduled.id,
        scheduled.task_id,
        TickerStatus.IDLE,
    )
    assert (waiting.retry_count, waiting.execution_time) == (1, scheduled.execution_time)
    assert waiting.next_attempt_at == START + timedelta(hours=2)
    assert waiting.started_at is None
    report_retry(tickerq, run)
    after = tickerq.runs.get(scheduled.id)
    assert after.status is TickerStatus.IDLE
    assert [(each.claim_no, each.retries, each.number) for each in after.attempts] == [(1, 0, 0)]
    clock.advance(hours=1)
    again, second = receive(tickerq)
    assert again.headers["tickerq_call"] == [str(scheduled.id), 2]
    assert (again.headers["id"], again.headers["retries"]) == (scheduled.task_id, 1)
    assert again.payload == message.payload
    end(tickerq.core, second)
    done = tickerq.runs.get(scheduled.id)
    assert (done.status, [each.retries for each in done.attempts]) == (TickerStatus.DONE, [0, 1])


def test_the_end_of_the_attempt_may_be_reported_after_the_retry_has_begun(
    tickerq: TickerQ, clock: ManualClock
) -> None:
    scheduled = schedule(tickerq, clock)
    message, run = receive(tickerq)
    retry(tickerq, message, run)
    clock.advance(hours=1)
    _, second = receive(tickerq)
    report_retry(tickerq, run)
    assert row_of(tickerq, scheduled.id).status is TickerStatus.IN_PROGRESS
    end(tickerq.core, second)
    done = tickerq.runs.get(scheduled.id)
    assert (done.status, [each.retries for each in done.attempts]) == (TickerStatus.DONE, [0, 1])


def test_a_retry_that_is_near_is_celerys(tickerq: TickerQ, clock: ManualClock) -> None:
    scheduled = schedule(tickerq, clock)
    message, run = receive(tickerq)
    with body(tickerq, message, run) as task, pytest.raises(Retry):
        task.retry(countdown=5)
    (again,) = messages(tickerq)
    assert again.headers["eta"] is not None
    assert again.headers["tickerq_call"] == [str(scheduled.id), 1]
    assert row_of(tickerq, scheduled.id).status is TickerStatus.IN_PROGRESS


def test_a_task_retries_as_often_as_it_may_and_then_no_more(tickerq: TickerQ, clock: ManualClock) -> None:
    scheduled = schedule(tickerq, clock)
    for retries in range(2):
        message, run = receive(tickerq)
        assert message.headers["retries"] == retries
        retry(tickerq, message, run)
        report_retry(tickerq, run)
        clock.advance(hours=1)
    message, run = receive(tickerq)
    with body(tickerq, message, run) as task, pytest.raises(MaxRetriesExceededError):
        task.retry(countdown=HOUR)
    row = row_of(tickerq, scheduled.id)
    assert (row.status, row.retry_count) == (TickerStatus.IN_PROGRESS, 2)
    assert messages(tickerq) == []


def test_a_retry_outside_of_a_followed_execution_is_a_run_of_its_own(
    tickerq: TickerQ, clock: ManualClock
) -> None:
    scheduled = schedule(tickerq, clock)
    message, _ = receive(tickerq)
    retry(tickerq, message, None)
    new, old = tickerq.runs.find()
    assert (old.id, old.status) == (scheduled.id, TickerStatus.IN_PROGRESS)
    assert (new.task_id, new.retry_count, new.status) == (old.task_id, 1, TickerStatus.IDLE)


def test_a_retry_whose_run_another_execution_has_taken_over_is_a_run_of_its_own(
    tickerq: TickerQ, clock: ManualClock
) -> None:
    scheduled = schedule(tickerq, clock)
    message, run = receive(tickerq)
    begun(tickerq.core, execution_of_message(message))
    retry(tickerq, message, run)
    new, old = tickerq.runs.find()
    assert (old.id, old.status) == (scheduled.id, TickerStatus.IN_PROGRESS)
    assert (new.status, new.retry_count) == (TickerStatus.IDLE, 1)


@pytest.mark.parametrize("options", [{"task_id": "another"}, {"retries": 0}], ids=repr)
def test_another_call_in_the_body_is_a_run_of_its_own(
    tickerq: TickerQ, clock: ManualClock, options: dict[str, Any]
) -> None:
    scheduled = schedule(tickerq, clock)
    message, run = receive(tickerq)
    with body(tickerq, message, run) as task:
        task.apply_async((2,), countdown=HOUR, **{"task_id": scheduled.task_id, "retries": 1} | options)
    new, old = tickerq.runs.find()
    assert (old.id, old.status) == (scheduled.id, TickerStatus.IN_PROGRESS)
    assert new.status is TickerStatus.IDLE


def test_a_member_of_a_chord_stays_one_and_keeps_what_the_retry_changes(
    tickerq: TickerQ, clock: ManualClock
) -> None:
    add = tickerq.app.tasks["shop.again"]
    schedule(tickerq, clock, group_id="g", chord=add.s(9), priority=3)
    message, run = receive(tickerq)
    retry(tickerq, message, run, args=(7,), queue="slow")
    (waiting,) = tickerq.runs.find()
    call = call_in(waiting.stored_request)
    assert (call.args, waiting.queue) == ((7,), "slow")
    assert call.message is not None
    assert call.message.embed["chord"]["task"] == "shop.again"
    assert call.message.headers["group"] == "g"
