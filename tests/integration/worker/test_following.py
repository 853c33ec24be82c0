"""Followed: what Celery's signals say of a task's executions is what the store records of its run."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from billiard.process import current_process
from celery import signals
from celery.exceptions import Ignore, Reject
from kombu.exceptions import OperationalError

from tests.integration.apps import enrol_worker, execute, messages, ticker_app
from tests.integration.making import statements_of
from tests.integration.worker.call_app import add_call, deliver_all, deliver_call, followed, run_of
from tests.manual_clock import ManualClock
from tests.statements import drops, execution_ends
from tickerq_celery import TickerContext, TickerQ, TickerStatus, TimeTicker
from tickerq_celery.errors import StoreError
from tickerq_celery.worker import child_marks, following
from tickerq_celery.worker.followed_run import kept

DONE, FAILED, SKIPPED = TickerStatus.DONE, TickerStatus.FAILED, TickerStatus.SKIPPED
QUEUED, IN_PROGRESS = TickerStatus.QUEUED, TickerStatus.IN_PROGRESS


@pytest.fixture
def tickerq(store_url: str, namespace: str, clock: ManualClock) -> Iterator[TickerQ]:
    """An app whose tasks this process follows, and whose worker is enrolled."""
    with ticker_app(store_url, namespace, clock) as made:
        made.function("Send")(lambda context: None)
        enrol_worker(made)
        with followed(made):
            yield made


def task_of(tickerq: TickerQ, body: Callable[..., Any], **options: Any) -> Any:
    return tickerq.app.task(name="shop.work", bind=True, shared=False, **options)(body)


def returns(task: Any) -> dict[str, int]:
    return {"total": 5}


def notes(seen: list[int]) -> Callable[..., Any]:
    def work(task: Any) -> None:
        seen.append(1)

    return work


def statuses(tickerq: TickerQ, run_id: Any) -> list[tuple[int, TickerStatus]]:
    return [(each.retries, each.status) for each in run_of(tickerq, run_id).attempts]


def test_a_task_that_succeeds_is_in_progress_while_it_runs_and_then_done(tickerq: TickerQ) -> None:
    seen: list[Any] = []

    def work(task: Any) -> int:
        run = run_of(tickerq, run_id)
        seen.append((run.status, run.lock_holder, run.started_at is not None))
        seen.append(kept(task.request))
        return 5

    run_id = add_call(tickerq, task_of(tickerq, work))
    deliver_all(tickerq)
    run = run_of(tickerq, run_id)
    assert (run.status, run.outcome_known) == (DONE, True)
    assert seen[0] == (IN_PROGRESS, tickerq.core.node.name, True)
    assert (seen[1].id, seen[1].execution.claim_no, seen[1].started.executions) == (run_id, 1, 1)
    (attempt,) = run.attempts
    assert (attempt.status, attempt.number, attempt.node) == (DONE, 0, tickerq.core.node.name)


def test_a_task_that_raises_fails_with_its_exception_and_traceback(tickerq: TickerQ) -> None:
    def work(task: Any) -> None:
        raise OSError("no route to host")

    run_id = add_call(tickerq, task_of(tickerq, work), retries=3)
    deliver_all(tickerq)
    run = run_of(tickerq, run_id)
    assert (run.status, run.exception_type, run.exception_message) == (FAILED, "OSError", "no route to host")
    (attempt,) = run.attempts
    assert 'raise OSError("no route to host")' in (attempt.traceback or "")


def test_retries_of_celerys_are_attempts_of_the_run_until_the_last_one_fails_it(tickerq: TickerQ) -> None:
    def work(task: Any) -> None:
        try:
            raise OSError(f"attempt {task.request.retries}")
        except OSError as error:
            raise task.retry(exc=error, countdown=0.01, max_retries=2) from error

    run_id = add_call(tickerq, task_of(tickerq, work))
    (first,) = messages(tickerq)
    deliver_call(tickerq, first)
    run = run_of(tickerq, run_id)
    assert (run.status, run.is_published, run.retry_count) == (QUEUED, True, 1)
    deliver_all(tickerq)
    run = run_of(tickerq, run_id)
    assert (run.status, run.exception_message, run.retry_count) == (FAILED, "attempt 2", 2)
    assert statuses(tickerq, run_id) == [(0, FAILED), (1, FAILED), (2, FAILED)]
    assert [each.exception_type for each in run.attempts] == ["OSError"] * 3


def test_a_task_that_is_retried_for_its_exceptions_ends_as_it_last_did(tickerq: TickerQ) -> None:
    def work(task: Any) -> None:
        if task.request.retries == 0:
            raise OSError("once")

    options = {"autoretry_for": (OSError,), "retry_backoff": False, "default_retry_delay": 0}
    run_id = add_call(tickerq, task_of(tickerq, work, **options))
    deliver_all(tickerq)
    assert run_of(tickerq, run_id).status is DONE
    assert statuses(tickerq, run_id) == [(0, FAILED), (1, DONE)]


def test_a_retry_that_does_not_raise_opens_its_run_again(tickerq: TickerQ) -> None:
    def work(task: Any) -> None:
        if task.request.retries == 0:
            task.retry(countdown=0, throw=False)

    run_id = add_call(tickerq, task_of(tickerq, work))
    (first,) = messages(tickerq)
    deliver_call(tickerq, first)
    assert run_of(tickerq, run_id).status is DONE
    deliver_all(tickerq)
    assert statuses(tickerq, run_id) == [(0, DONE), (1, DONE)]


def test_a_retry_that_the_broker_refuses_fails_the_run(
    tickerq: TickerQ, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OperationalError("unreachable")

    def work(task: Any) -> None:
        monkeypatch.setattr(tickerq.app.amqp, "send_task_message", refuse)
        raise task.retry(countdown=0)

    run_id = add_call(tickerq, task_of(tickerq, work))
    deliver_all(tickerq)
    run = run_of(tickerq, run_id)
    assert (run.status, run.exception_type) == (FAILED, "celery.exceptions.Reject")


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        (Ignore("nothing to do"), SKIPPED, "nothing to do"),
        (Ignore(), SKIPPED, "Ignore"),
        (Reject("not mine", requeue=False), FAILED, None),
        (Reject("later", requeue=True), QUEUED, None),
    ],
)
def test_what_a_body_asks_of_celery_is_what_is_recorded(
    tickerq: TickerQ, error: Exception, status: TickerStatus, text: str | None
) -> None:
    def work(task: Any) -> None:
        raise error

    run_id = add_call(tickerq, task_of(tickerq, work))
    deliver_all(tickerq)
    run = run_of(tickerq, run_id)
    assert (run.status, run.skipped_reason) == (status, text)
    assert len(run.attempts) == 1


def test_a_task_that_is_replaced_by_another_is_skipped_and_says_so(tickerq: TickerQ) -> None:
    @tickerq.app.task(name="shop.other", shared=False)
    def other() -> None:
        pass

    def work(task: Any) -> None:
        task.replace(other.s())

    run_id = add_call(tickerq, task_of(tickerq, work))
    deliver_all(tickerq)
    run = run_of(tickerq, run_id)
    assert (run.status, run.skipped_reason, len(run.attempts)) == (SKIPPED, "Replaced by new task", 1)


def test_a_message_that_is_delivered_again_is_a_further_attempt(tickerq: TickerQ) -> None:
    run_id = add_call(tickerq, task_of(tickerq, returns))
    (message,) = messages(tickerq)
    for _ in range(2):
        deliver_call(tickerq, message)
    assert [each.number for each in run_of(tickerq, run_id).attempts] == [0, 1]


def test_a_body_that_ends_its_thread_has_failed(tickerq: TickerQ) -> None:
    def work(task: Any) -> None:
        raise SystemExit(3)

    run_id = add_call(tickerq, task_of(tickerq, work))
    with pytest.raises(SystemExit):
        deliver_all(tickerq)
    run = run_of(tickerq, run_id)
    assert (run.status, run.exception_type) == (FAILED, "SystemExit")


def test_a_result_that_celery_cannot_store_fails_the_run_as_it_does_the_task(
    tickerq: TickerQ, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise ConnectionError("the result backend is unreachable")

    task = task_of(tickerq, returns)
    monkeypatch.setattr(task.backend, "mark_as_done", refuse)
    run_id = add_call(tickerq, task)
    with pytest.warns(RuntimeWarning, match="result backend"):
        deliver_all(tickerq)
    run = run_of(tickerq, run_id)
    assert (run.status, run.exception_type) == (FAILED, "ConnectionError")


def test_the_children_of_a_task_are_given_its_result(tickerq: TickerQ) -> None:
    seen: list[object] = []

    def child(context: TickerContext) -> None:
        seen.append(context.parent_result)

    tickerq.function("Child")(child)
    enrol_worker(tickerq)
    add_call(tickerq, task_of(tickerq, returns), children=[TimeTicker(function="Child")])
    (message,) = messages(tickerq)
    deliver_call(tickerq, message)
    execute(tickerq)
    assert seen == [{"total": 5}]


def test_a_message_without_the_header_costs_no_statement(tickerq: TickerQ) -> None:
    task = task_of(tickerq, returns)
    task.apply_async()
    (message,) = messages(tickerq)
    assert statements_of(tickerq.core, lambda: deliver_call(tickerq, message)) == []


@pytest.mark.parametrize("header", ["x", ["x", 1], [str(1), 0], None, [None, None]])
def test_a_broken_header_costs_no_statement_and_no_task(tickerq: TickerQ, header: Any) -> None:
    seen: list[int] = []
    task = task_of(tickerq, notes(seen))
    task.apply_async(headers={"tickerq_call": header})
    (message,) = messages(tickerq)
    assert statements_of(tickerq.core, lambda: deliver_call(tickerq, message)) == []
    assert seen == [1]


def test_a_followed_execution_costs_two_statements_at_each_end_or_one_where_an_update_returns(
    tickerq: TickerQ,
) -> None:
    run_id = add_call(tickerq, task_of(tickerq, returns))
    (message,) = messages(tickerq)
    sent = statements_of(tickerq.core, lambda: deliver_call(tickerq, message))
    began = ["UPDATE"] if tickerq.core.database.returns_alone else ["SELECT", "UPDATE"]
    assert [each.split()[0] for each in sent] == [*began, "UPDATE", "INSERT"]
    assert run_of(tickerq, run_id).status is DONE


def test_an_eager_execution_is_not_followed(tickerq: TickerQ) -> None:
    def work(task: Any) -> bool:
        return kept(task.request) is None

    task = task_of(tickerq, work)
    run_id = add_call(tickerq, task)
    (message,) = messages(tickerq)
    assert task.apply(headers={"tickerq_call": message.headers["tickerq_call"]}).get()
    assert run_of(tickerq, run_id).status is QUEUED


def test_of_two_apps_in_one_process_each_follows_its_own_tasks(
    tickerq: TickerQ, store_url: str, clock: ManualClock
) -> None:
    with ticker_app(store_url, "other", clock) as other, followed(other):
        run_id = add_call(tickerq, task_of(tickerq, returns))
        (message,) = messages(tickerq)
        sent = statements_of(other.core, lambda: deliver_call(tickerq, message))
    assert sent == []
    assert [each.number for each in run_of(tickerq, run_id).attempts] == [0]


def test_nothing_is_followed_after_a_shutdown(store_url: str, namespace: str, clock: ManualClock) -> None:
    with ticker_app(store_url, namespace, clock) as tickerq:
        enrol_worker(tickerq)
        with followed(tickerq):
            pass
        run_id = add_call(tickerq, task_of(tickerq, returns))
        deliver_all(tickerq)
        assert run_of(tickerq, run_id).status is QUEUED


def test_a_start_that_the_store_keeps_waiting_does_not_keep_the_body_waiting(
    tickerq: TickerQ, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(following, "LONGEST_WAIT", 0.05)
    recorder = tickerq._process.get().executions
    answered, is_over, start, seen = threading.Event(), threading.Event(), recorder.start, []

    def slow(execution: Any) -> Any:
        answered.wait(10)
        is_over.set()
        return start(execution)

    def work(task: Any) -> None:
        seen.append(is_over.is_set())
        answered.set()

    monkeypatch.setattr(recorder, "start", slow)
    run_id = add_call(tickerq, task_of(tickerq, work))
    deliver_all(tickerq)
    assert seen == [False]
    assert [each.number for each in run_of(tickerq, run_id).attempts] == [0]
    assert run_of(tickerq, run_id).status is DONE
    assert "the store has not recorded it" in caplog.text


def unreachable(*_: Any, **__: Any) -> None:
    raise StoreError("gone")


def test_an_execution_whose_start_the_store_did_not_take_is_recorded_at_its_end(
    tickerq: TickerQ, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(task: Any) -> None:
        monkeypatch.undo()

    run_id = add_call(tickerq, task_of(tickerq, work))
    monkeypatch.setattr(tickerq._process.get().executions, "start", unreachable)
    deliver_all(tickerq)
    run = run_of(tickerq, run_id)
    assert (run.status, [each.number for each in run.attempts]) == (DONE, [0])


def test_a_start_whose_answer_was_lost_is_recorded_once(
    tickerq: TickerQ, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = tickerq._process.get().executions.start

    def lose_the_answer(execution: Any) -> None:
        begin(execution)
        raise StoreError("the connection was lost at the commit")

    run_id = add_call(tickerq, task_of(tickerq, returns))
    monkeypatch.setattr(tickerq._process.get().executions, "start", lose_the_answer)
    deliver_all(tickerq)
    assert [each.status for each in run_of(tickerq, run_id).attempts] == [DONE]


@pytest.mark.parametrize("error", [StoreError("gone"), RuntimeError("ours")])
def test_what_goes_wrong_in_following_changes_nothing_for_the_task(
    tickerq: TickerQ, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    seen: list[int] = []
    add_call(tickerq, task_of(tickerq, notes(seen)))
    recorder = tickerq._process.get().executions
    for name in ("start", "start_late", "finish"):
        monkeypatch.setattr(recorder, name, fail)
    (returned,) = deliver_all(tickerq)
    assert (seen, returned.info) == ([1], None)
    assert "is not recorded" in caplog.text


def test_an_end_is_tried_again_while_the_store_is_unreachable(
    tickerq: TickerQ, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish, tries = execution_ends.finish, []

    def fail_at_first(*args: Any, **options: Any) -> Any:
        tries.append(1)
        if len(tries) < 3:
            raise StoreError("gone")
        return finish(*args, **options)

    run_id = add_call(tickerq, task_of(tickerq, returns))
    monkeypatch.setattr(execution_ends, "finish", fail_at_first)
    monkeypatch.setattr("tickerq_celery.runs.lease_retry.time.sleep", lambda seconds: None)
    deliver_all(tickerq)
    assert run_of(tickerq, run_id).status is DONE


def test_an_exception_whose_text_no_database_takes_is_recorded(tickerq: TickerQ) -> None:
    def work(task: Any) -> None:
        raise OSError("a nul \x00")

    run_id = add_call(tickerq, task_of(tickerq, work))
    deliver_all(tickerq)
    assert run_of(tickerq, run_id).exception_type == "OSError"


def test_a_task_that_is_handed_the_headers_of_a_followed_one_is_no_execution_of_its_run(
    tickerq: TickerQ,
) -> None:
    seen: list[object] = []

    @tickerq.app.task(name="shop.other", bind=True, shared=False)
    def other(task: Any) -> None:
        seen.append(run_of(tickerq, run_id).status)
        raise OSError("other's own")

    def work(task: Any) -> None:
        other.apply_async(headers=task.request.headers)
        (message,) = messages(tickerq)
        deliver_call(tickerq, message)
        other.apply_async(headers=task.request.headers)

    run_id = add_call(tickerq, task_of(tickerq, work))
    deliver_all(tickerq)
    run = run_of(tickerq, run_id)
    assert (run.status, [each.status for each in run.attempts]) == (DONE, [DONE])
    assert seen == [IN_PROGRESS, DONE]
    assert tickerq.core.read(lambda tx: drops.recent(tx, within=timedelta(hours=1))) == {}


def test_a_task_that_calls_itself_with_its_own_headers_has_no_run(tickerq: TickerQ) -> None:
    seen: list[str] = []

    def work(task: Any) -> None:
        seen.append(task.request.id)
        if len(seen) == 1:
            task.apply_async(headers=task.request.headers)

    run_id = add_call(tickerq, task_of(tickerq, work))
    deliver_all(tickerq)
    assert len(set(seen)) == 2
    assert [each.number for each in run_of(tickerq, run_id).attempts] == [0]


def test_a_task_that_takes_the_place_and_the_headers_of_another_is_no_execution_of_its_run(
    tickerq: TickerQ,
) -> None:
    @tickerq.app.task(name="shop.other", shared=False)
    def other() -> None:
        raise OSError("other's own")

    def work(task: Any) -> None:
        task.replace(other.s().set(headers=task.request.headers))

    run_id = add_call(tickerq, task_of(tickerq, work))
    deliver_all(tickerq)
    run = run_of(tickerq, run_id)
    assert (run.status, [each.status for each in run.attempts]) == (SKIPPED, [SKIPPED])


def test_a_task_is_followed_whatever_name_is_shown_of_it(tickerq: TickerQ) -> None:
    run_id = add_call(tickerq, task_of(tickerq, returns), options={"shadow": "shown"})
    (message,) = messages(tickerq)
    assert message.headers["shadow"] == "shown"
    deliver_call(tickerq, message)
    assert run_of(tickerq, run_id).status is DONE


def test_an_end_that_the_store_keeps_waiting_is_recorded_after_its_task_has_gone_on(
    tickerq: TickerQ, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(following, "longest_wait", lambda hard, elapsed, lease: 0.05)
    answered, is_written, finish = threading.Event(), threading.Event(), execution_ends.finish

    def slow(*args: Any, **options: Any) -> Any:
        answered.wait(10)
        return finish(*args, **options)

    monkeypatch.setattr(execution_ends, "finish", slow)
    run_id = add_call(tickerq, task_of(tickerq, returns))
    recorder = tickerq._process.get().executions
    end = recorder.finish

    def noted(*args: Any, **options: Any) -> Any:
        try:
            return end(*args, **options)
        finally:
            is_written.set()

    monkeypatch.setattr(recorder, "finish", noted)
    (returned,) = deliver_all(tickerq)
    assert returned.retval == {"total": 5}
    assert run_of(tickerq, run_id).status is IN_PROGRESS
    assert "that is still tried" in caplog.text
    answered.set()
    assert is_written.wait(10)
    assert run_of(tickerq, run_id).status is DONE


def test_a_child_of_the_pool_does_not_end_before_what_it_has_left_is_recorded(
    tickerq: TickerQ, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "longest_wait", lambda hard, elapsed, lease: 0.05)
    answered, finish = threading.Event(), execution_ends.finish

    def slow(*args: Any, **options: Any) -> Any:
        answered.wait(10)
        return finish(*args, **options)

    monkeypatch.setattr(execution_ends, "finish", slow)
    run_id = add_call(tickerq, task_of(tickerq, returns))
    deliver_all(tickerq)
    shutdown = threading.Thread(
        target=signals.worker_process_shutdown.send, kwargs={"sender": None, "pid": 0, "exitcode": 0}
    )
    shutdown.start()
    shutdown.join(0.2)
    assert shutdown.is_alive()
    answered.set()
    shutdown.join(10)
    assert run_of(tickerq, run_id).status is DONE


def test_a_child_that_executes_what_only_has_the_headers_of_a_call_marks_nothing(
    tickerq: TickerQ, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(current_process(), "index", 0, raising=False)
    monkeypatch.setattr(child_marks, "_lives", lambda pid: True)
    marks, seen = tickerq._process.get().child_marks, []

    @tickerq.app.task(name="shop.other", shared=False)
    def other() -> None:
        seen.append(set(marks.claims()))

    def work(task: Any) -> None:
        seen.append(set(marks.claims()))
        other.apply_async(headers=task.request.headers)

    run_id = add_call(tickerq, task_of(tickerq, work))
    deliver_all(tickerq)
    assert seen == [{f"{run_id}:1"}, set()]
