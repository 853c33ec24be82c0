"""Retries of Celery tasks that lie further away than ``durable_eta``: the same run waits for them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from celery import states
from celery._state import _task_stack
from celery.app.task import Context
from celery.exceptions import MaxRetriesExceededError, Reject, Retry

from tests.inner import CancelRequest, Core, Started, TaskExecution, execution_in, rejected, retried_by_celery
from tests.integration.apps import dispatch_due, enrol_worker, messages, row_of, ticker_app
from tests.integration.making import failure
from tests.integration.runs.calls import begun, end, recorder
from tests.manual_clock import START, ManualClock
from tests.statements import end_requests
from tickerq_celery import Run, TickerQ, TickerStatus, TimeTicker
from tickerq_celery.broker.revoked_calls import RevokedCalls
from tickerq_celery.errors import StoreError
from tickerq_celery.payload.celery_call import call_in
from tickerq_celery.runs.revocations import Revocations

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
def body(tickerq: TickerQ, message: Any, **changes: Any) -> Iterator[Any]:
    """Let a worker's process execute the task of a message."""
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
    try:
        yield task
    finally:
        _task_stack.pop()
        task.pop_request()


def retry(tickerq: TickerQ, message: Any, **options: Any) -> None:
    with body(tickerq, message) as task, pytest.raises(Retry):
        task.retry(countdown=HOUR, **options)


def report_retry(tickerq: TickerQ, run: Started) -> None:
    end(tickerq.core, run, retried_by_celery(run.standing, failure(), timedelta(hours=1)))


def test_a_followed_execution_that_retries_lets_its_run_wait_for_it(
    tickerq: TickerQ, clock: ManualClock
) -> None:
    scheduled = schedule(tickerq, clock, link=tickerq.app.tasks["shop.again"].s())
    message, run = receive(tickerq)
    retry(tickerq, message)
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
    retry(tickerq, message)
    clock.advance(hours=1)
    _, second = receive(tickerq)
    report_retry(tickerq, run)
    assert row_of(tickerq, scheduled.id).status is TickerStatus.IN_PROGRESS
    end(tickerq.core, second)
    done = tickerq.runs.get(scheduled.id)
    assert (done.status, [each.retries for each in done.attempts]) == (TickerStatus.DONE, [0, 1])


def test_a_retry_that_is_near_is_celerys(tickerq: TickerQ, clock: ManualClock) -> None:
    scheduled = schedule(tickerq, clock)
    message, _ = receive(tickerq)
    with body(tickerq, message) as task, pytest.raises(Retry):
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
        retry(tickerq, message)
        report_retry(tickerq, run)
        clock.advance(hours=1)
    message, run = receive(tickerq)
    with body(tickerq, message) as task, pytest.raises(MaxRetriesExceededError):
        task.retry(countdown=HOUR)
    row = row_of(tickerq, scheduled.id)
    assert (row.status, row.retry_count) == (TickerStatus.IN_PROGRESS, 2)
    assert messages(tickerq) == []


def test_a_retry_whose_message_names_no_run_is_a_run_of_its_own(tickerq: TickerQ, clock: ManualClock) -> None:
    scheduled = schedule(tickerq, clock)
    message, _ = receive(tickerq)
    del message.headers["tickerq_call"]
    retry(tickerq, message)
    new, old = tickerq.runs.find()
    assert (old.id, old.status) == (scheduled.id, TickerStatus.IN_PROGRESS)
    assert (new.task_id, new.retry_count, new.status) == (old.task_id, 1, TickerStatus.IDLE)


def retry_as_the_main_process(tickerq: TickerQ, message: Any) -> None:
    """Send what Celery's main process does for a lost child, with ``retry_on_worker_lost``."""
    task = tickerq.app.tasks["shop.again"]
    args, kwargs, embed = message.payload
    delivery = {"exchange": "", "routing_key": tickerq.app.conf.task_default_queue}
    context = Context(message.headers, **embed, args=args, kwargs=kwargs, delivery_info=delivery)
    task.signature_from_request(context, countdown=HOUR, retries=context.retries + 1).apply_async()


def test_the_retry_that_the_main_process_sends_for_a_lost_child_lets_its_run_wait(
    tickerq: TickerQ, clock: ManualClock
) -> None:
    scheduled = schedule(tickerq, clock)
    message, _ = receive(tickerq)
    retry_as_the_main_process(tickerq, message)
    (waiting,) = tickerq.runs.find()
    assert (waiting.id, waiting.status, waiting.retry_count) == (scheduled.id, TickerStatus.IDLE, 1)
    (attempt,) = tickerq.runs.get(scheduled.id).attempts
    assert (attempt.retries, attempt.number, attempt.exception_type) == (0, 0, "WorkerLost")


def test_a_retry_of_an_execution_whose_start_is_not_recorded_lets_its_run_wait(
    tickerq: TickerQ, clock: ManualClock
) -> None:
    scheduled = schedule(tickerq, clock)
    dispatch_due(tickerq)
    (message,) = messages(tickerq)
    retry(tickerq, message)
    late = recorder(tickerq.core).start_late(
        execution_of_message(message), began=lambda: timedelta(seconds=1)
    )
    assert late is not None
    report_retry(tickerq, late)
    clock.advance(hours=1)
    _, second = receive(tickerq)
    end(tickerq.core, second)
    (done,) = tickerq.runs.find()
    found = [(each.claim_no, each.retries, each.number) for each in tickerq.runs.get(done.id).attempts]
    assert (done.id, done.status) == (scheduled.id, TickerStatus.DONE)
    assert found == [(1, 0, 0), (2, 1, second.executions - 1)]
    assert tickerq.runs.get(done.id).attempts[0].exception_type == failure().type


@pytest.mark.parametrize("is_started", [True, False], ids=["started", "not recorded"])
def test_what_waits_for_the_task_starts_at_the_end_of_its_retry(
    tickerq: TickerQ, clock: ManualClock, *, is_started: bool
) -> None:
    parent = tickerq.schedule("shop.again", children=[TimeTicker(task="shop.again")])
    dispatch_due(tickerq)
    (message,) = messages(tickerq)
    if is_started:
        begun(tickerq.core, execution_of_message(message))
    retry_as_the_main_process(tickerq, message)
    clock.advance(hours=1)
    _, second = receive(tickerq)
    assert second.id == parent.id
    end(tickerq.core, second)
    child = next(run for run in tickerq.runs.find() if run.id != parent.id)
    assert (child.status, child.next_attempt_at is not None) == (TickerStatus.IDLE, True)


def test_a_retry_of_a_run_that_is_to_be_cancelled_is_not_kept(tickerq: TickerQ, clock: ManualClock) -> None:
    scheduled = schedule(tickerq, clock)
    message, run = receive(tickerq)
    tickerq.core.write(end_requests.request, run, CancelRequest.TERMINATE)
    retry(tickerq, message)
    report_retry(tickerq, run)
    (found,) = tickerq.runs.find()
    cancelled = tickerq.runs.get(scheduled.id)
    assert (found.status, cancelled.next_attempt_at) == (TickerStatus.CANCELLED, None)
    assert [(each.retries, each.number) for each in cancelled.attempts] == [(0, 0)]
    assert cancelled.attempts[0].exception_type == failure().type


def test_the_sweep_tells_the_result_backend_of_a_retry_that_was_cancelled(
    tickerq: TickerQ, clock: ManualClock
) -> None:
    tickerq.app.conf.result_backend = "cache+memory://"
    scheduled = schedule(tickerq, clock)
    message, run = receive(tickerq)
    tickerq.core.write(end_requests.request, run, CancelRequest.TERMINATE)
    retry(tickerq, message)
    result = tickerq.app.AsyncResult(scheduled.task_id)
    # As Celery does once the body has asked for its retry.
    tickerq.app.backend.mark_as_retry(scheduled.task_id, Retry("again"))
    assert result.state == states.RETRY
    clock.advance(minutes=1)
    Revocations(tickerq.core, RevokedCalls(tickerq.app, tickerq.core.codec).announce).step()
    assert result.state == states.REVOKED


class GivenUp:
    """Writes whose callers give them up while the commit is on its way."""

    def __init__(self, core: Core, meanwhile: Callable[[], object]) -> None:
        self._core = core
        self._meanwhile = meanwhile

    def write(self, work: Any, *, undo: Any) -> Any:
        self._core.write(work)
        self._meanwhile()
        self._core.write(undo)
        raise StoreError("too late")

    def close(self) -> None: ...


def give_up_the_retry(tickerq: TickerQ, message: Any, meanwhile: Callable[[], object]) -> None:
    calls = tickerq._process.get().durable_calls
    with pytest.MonkeyPatch.context() as patch, body(tickerq, message) as task:
        patch.setattr(calls, "_writes", GivenUp(tickerq.core, meanwhile))
        with pytest.raises(Reject):
            task.retry(countdown=HOUR)


def refuse(tickerq: TickerQ, run: Started) -> None:
    end(tickerq.core, run, rejected(run.standing, failure()))


@pytest.mark.parametrize("is_first", [True, False], ids=["its end first", "the undo first"])
def test_a_retry_that_was_given_up_leaves_its_run_to_the_end_of_its_execution(
    tickerq: TickerQ, clock: ManualClock, *, is_first: bool
) -> None:
    scheduled = schedule(tickerq, clock)
    message, run = receive(tickerq)
    give_up_the_retry(tickerq, message, (lambda: refuse(tickerq, run)) if is_first else (lambda: None))
    if not is_first:
        row = row_of(tickerq, scheduled.id)
        assert (row.status, row.retry_count, row.due_at) == (TickerStatus.IN_PROGRESS, 0, None)
        assert row.running_on == tickerq.core.node.id
        refuse(tickerq, run)
    failed = tickerq.runs.get(scheduled.id)
    assert (failed.status, failed.exception_type) == (TickerStatus.FAILED, failure().type)
    assert [(each.retries, each.number) for each in failed.attempts] == [(0, 0)]
    sent = call_in(failed.stored_request).message
    assert sent is not None
    assert sent.headers["retries"] == 0
    assert [each.id for each in tickerq.runs.find()] == [scheduled.id]


@pytest.mark.parametrize("is_first", [True, False], ids=["its end first", "the undo first"])
def test_a_retry_that_was_given_up_leaves_a_run_whose_start_is_not_recorded_to_its_end(
    tickerq: TickerQ, clock: ManualClock, *, is_first: bool
) -> None:
    scheduled = schedule(tickerq, clock)
    dispatch_due(tickerq)
    (message,) = messages(tickerq)

    def finish() -> None:
        late = recorder(tickerq.core).start_late(
            execution_of_message(message), began=lambda: timedelta(seconds=1)
        )
        assert late is not None
        refuse(tickerq, late)

    give_up_the_retry(tickerq, message, finish if is_first else (lambda: None))
    if not is_first:
        row = row_of(tickerq, scheduled.id)
        assert (row.status, row.executions, row.check_at is None) == (TickerStatus.QUEUED, 0, False)
        finish()
    failed = tickerq.runs.get(scheduled.id)
    assert (failed.status, failed.exception_type) == (TickerStatus.FAILED, failure().type)
    assert [(each.retries, each.number) for each in failed.attempts] == [(0, 0)]


def test_a_retry_that_was_given_up_does_not_revive_a_run_that_was_cancelled_meanwhile(
    tickerq: TickerQ, clock: ManualClock
) -> None:
    scheduled = schedule(tickerq, clock)
    message, _ = receive(tickerq)
    give_up_the_retry(tickerq, message, lambda: tickerq.runs.cancel(scheduled.id))
    assert row_of(tickerq, scheduled.id).status is TickerStatus.CANCELLED


def test_a_retry_of_a_run_that_another_claim_has_is_a_run_of_its_own(
    tickerq: TickerQ, clock: ManualClock
) -> None:
    scheduled = schedule(tickerq, clock)
    message, run = receive(tickerq)
    message.headers["tickerq_call"] = [str(run.id), run.claim_no + 1]
    retry(tickerq, message)
    new, old = tickerq.runs.find()
    assert (old.id, old.status) == (scheduled.id, TickerStatus.IN_PROGRESS)
    assert (new.status, new.retry_count) == (TickerStatus.IDLE, 1)


@pytest.mark.parametrize(
    "options",
    [{"task_id": "another"}, {"retries": 0}, {"retries": 2}, {"retries": None}],
    ids=repr,
)
def test_another_call_in_the_body_is_a_run_of_its_own(
    tickerq: TickerQ, clock: ManualClock, options: dict[str, Any]
) -> None:
    scheduled = schedule(tickerq, clock)
    message, _ = receive(tickerq)
    given = {"task_id": scheduled.task_id, "retries": 1, "headers": message.headers} | options
    with body(tickerq, message) as task:
        task.apply_async((2,), countdown=HOUR, **given)
    new, old = tickerq.runs.find()
    assert (old.id, old.status) == (scheduled.id, TickerStatus.IN_PROGRESS)
    assert new.status is TickerStatus.IDLE


def test_another_task_to_which_a_body_hands_its_headers_on_is_a_run_of_its_own(
    tickerq: TickerQ, clock: ManualClock
) -> None:
    scheduled = schedule(tickerq, clock)
    message, _ = receive(tickerq)
    header = {"tickerq_call": message.headers["tickerq_call"]}
    tickerq.app.send_task("shop.other", task_id=scheduled.task_id, retries=1, headers=header, countdown=HOUR)
    new, old = tickerq.runs.find()
    assert (old.id, old.status) == (scheduled.id, TickerStatus.IN_PROGRESS)
    assert (new.function, new.status) == ("shop.other", TickerStatus.IDLE)


def test_a_member_of_a_chord_stays_one_and_keeps_what_the_retry_changes(
    tickerq: TickerQ, clock: ManualClock
) -> None:
    add = tickerq.app.tasks["shop.again"]
    schedule(tickerq, clock, group_id="g", chord=add.s(9), priority=3)
    message, _ = receive(tickerq)
    retry(tickerq, message, args=(7,), queue="slow")
    (waiting,) = tickerq.runs.find()
    call = call_in(waiting.stored_request)
    assert (call.args, waiting.queue) == ((7,), "slow")
    assert call.message is not None
    assert call.message.embed["chord"]["task"] == "shop.again"
    assert call.message.headers["group"] == "g"
