"""Tasks of libraries that hold locks in ``apply_async``: what they do not send ends at once, and says why."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

import pytest
from celery import Task, states
from celery.result import EagerResult
from celery_singleton import Singleton
from kombu import Producer
from kombu.exceptions import OperationalError

from tests.integration.apps import dispatch_due, messages, ticker_app
from tests.manual_clock import ManualClock
from tests.servers.server import Server
from tickerq_celery import Run, TickerQ, TickerStatus, TimeTicker

pytestmark = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


@pytest.fixture
def tickerq(store_url: str, namespace: str, clock: ManualClock) -> Iterator[TickerQ]:
    with ticker_app(store_url, namespace, clock, durable_eta=60) as made:
        yield made


class AlreadyQueued(Exception):  # noqa: N818 - celery-once's name
    """An equal call has the lock."""


class QueueOnce(Task):
    """A task as celery-once makes them: ``apply_async`` takes a lock first, and keeps it if sending fails."""

    graceful = False
    locks: ClassVar[set[str]] = set()

    def apply_async(self, args: Any = None, kwargs: Any = None, **options: Any) -> Any:
        """Call it, unless an equal call has the lock."""
        key = f"{id(self.app)} {self.name} {args}"
        if key in self.locks:
            if self.graceful:
                return EagerResult(None, None, states.REJECTED)
            raise AlreadyQueued("Expires in 3600 seconds")
        self.locks.add(key)
        return super().apply_async(args, kwargs, **options)


@pytest.fixture
def once(tickerq: TickerQ) -> Callable[..., Any]:
    """Return a task that holds a lock from its call on."""

    def make(**options: Any) -> Any:
        @tickerq.app.task(name="shop.report", base=QueueOnce, shared=False, **options)
        def report(day: str) -> str:
            return day

        return report

    return make


def add(tickerq: TickerQ, task: Any, **fields: Any) -> UUID:
    run_id = tickerq.time_tickers.add(TimeTicker(task=task, args=("monday",), **fields)).id
    dispatch_due(tickerq)
    return run_id


def run(tickerq: TickerQ, run_id: UUID) -> Run:
    return tickerq.runs.get(run_id)


def test_a_lock_that_is_held_fails_the_run_at_once(
    tickerq: TickerQ, once: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    task = once()
    add(tickerq, task)
    second = run(tickerq, add(tickerq, task))
    assert (second.status, second.exception_type) == (TickerStatus.FAILED, "AlreadyQueued")
    assert len(messages(tickerq)) == 1
    assert f"run {second.id} of shop.report ends unsent" in caplog.text


def test_a_task_that_sends_nothing_without_a_word_skips_the_run(
    tickerq: TickerQ, once: Callable[..., Any]
) -> None:
    task = once(graceful=True)
    add(tickerq, task)
    second = run(tickerq, add(tickerq, task))
    assert second.status is TickerStatus.SKIPPED
    assert second.skipped_reason == "the task's own apply_async sent no message"
    assert len(messages(tickerq)) == 1


def test_a_countdown_takes_its_lock_when_it_is_called_and_is_sent_when_it_is_due(
    tickerq: TickerQ, once: Callable[..., Any], clock: ManualClock
) -> None:
    task = once(graceful=True)
    task.apply_async(("monday",), countdown=600)
    assert task.apply_async(("monday",), countdown=600).state == "REJECTED"
    clock.advance(seconds=600)
    dispatch_due(tickerq)
    [message] = messages(tickerq)
    assert message.decode()[0] == ["monday"]


def test_an_equal_call_that_waits_already_skips_the_run_and_is_named(
    tickerq: TickerQ, start_server: Callable[[str], Server]
) -> None:
    tickerq.app.conf.singleton_backend_url = start_server("redis").url

    @tickerq.app.task(name="shop.report", base=Singleton, shared=False)
    def report(day: str) -> str:
        return day

    first = add(tickerq, report)
    second = run(tickerq, add(tickerq, report))
    reason = f"the task's own apply_async sent no message but the result of {first}"
    assert (second.status, second.skipped_reason) == (TickerStatus.SKIPPED, reason)
    assert len(messages(tickerq)) == 1


@pytest.mark.parametrize("error", [ConnectionError("the locks are away"), TypeError("not these arguments")])
def test_what_may_be_put_right_is_tried_again_and_hinders_no_other(
    tickerq: TickerQ, error: Exception
) -> None:
    class Locking(Task):
        def apply_async(self, *args: Any, **options: Any) -> Any:
            raise error

    @tickerq.app.task(name="shop.report", shared=False, base=Locking)
    def report(day: str) -> str:
        return day

    @tickerq.app.task(name="shop.plain", shared=False)
    def plain(day: str) -> str:
        return day

    due = tickerq.core.clock.now() + timedelta(seconds=1)
    batch = [TimeTicker(task=task, args=("monday",), execution_time=due) for task in (report, plain)]
    waiting, sent = tickerq.time_tickers.add_batch(batch)
    tickerq.core.clock.advance(seconds=1)
    dispatch_due(tickerq)
    assert [message.headers["id"] for message in messages(tickerq)] == [str(sent.id)]
    found = run(tickerq, waiting.id)
    assert (found.status, found.exception_type) == (TickerStatus.IDLE, None)


@pytest.mark.parametrize("returned", [None, "another id"])
def test_a_task_that_returns_no_result_of_its_own_has_sent_its_message(
    tickerq: TickerQ, returned: str | None
) -> None:
    class Silent(Task):
        def apply_async(self, *args: Any, **options: Any) -> Any:
            super().apply_async(*args, **options)
            return None if returned is None else self.AsyncResult(returned)

    @tickerq.app.task(name="shop.report", shared=False, base=Silent)
    def report(day: str) -> str:
        return day

    sent = run(tickerq, add(tickerq, report))
    assert (sent.status, len(messages(tickerq))) == (TickerStatus.DONE, 1)


def test_a_lock_of_an_earlier_try_is_waited_for(
    tickerq: TickerQ, once: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, clock: ManualClock
) -> None:
    task = once()
    with monkeypatch.context() as patch:

        def refuse(*_: Any, **__: Any) -> None:
            raise OperationalError("the broker is away")

        patch.setattr(Producer, "publish", refuse)
        # At once, and as a beat does: the second try meets the lock that the first one took.
        waiting = add(tickerq, task)
    assert run(tickerq, waiting).status is TickerStatus.IDLE
    task.locks.clear()
    clock.advance(hours=1)
    dispatch_due(tickerq)
    assert len(messages(tickerq)) == 1


def test_a_queue_that_celery_does_not_know_is_tried_again(tickerq: TickerQ) -> None:
    @tickerq.app.task(name="shop.report", shared=False)
    def report(day: str) -> str:
        return day

    tickerq.app.conf.task_create_missing_queues = False
    tickerq.app.conf.task_queues = [tickerq.app.amqp.queues[tickerq.app.conf.task_default_queue]]
    waiting = run(tickerq, add(tickerq, report, queue="nowhere"))
    assert (waiting.status, waiting.exception_type) == (TickerStatus.IDLE, None)
