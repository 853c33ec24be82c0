"""Workers that run in a thread of this process, as `celery.contrib.testing` starts them."""

import threading
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from billiard.process import current_process
from celery import Task, _state, signals
from celery.contrib.testing.worker import start_worker
from celery.worker.request import Request, create_request_cls
from kombu import Connection
from sqlalchemy.orm import Session

from tests.acceptance.waiting import wait_until
from tests.integration.apps import ticker_app
from tests.statements import nodes
from tickerq_celery import RunCondition, TickerQ, TickerStatus, TimeTicker
from tickerq_celery.enums import OnLost
from tickerq_celery.runs.executions import ExecutionRecorder
from tickerq_celery.store.nodes.nodes import Node
from tickerq_celery.worker.held_requests import held_requests

pytestmark = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


def keep_logging_as_it_is(**_: object) -> None:
    """Stand for a configuration of logging, so that Celery makes none for the whole process."""


@pytest.fixture(autouse=True)
def _the_process_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(_state, "default_app", _state.default_app)
    monkeypatch.setattr(_state._tls, "current_app", _state._tls.current_app)
    signals.setup_logging.connect(keep_logging_as_it_is)
    yield
    signals.setup_logging.disconnect(keep_logging_as_it_is)


@pytest.fixture(autouse=True)
def _workers_end_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a worker look each tenth of a second whether it shall end: Celery's own looks each two seconds."""
    drain = Connection.drain_events
    monkeypatch.setattr(Connection, "drain_events", lambda connection, **_: drain(connection, timeout=0.1))


@pytest.fixture
def tickerq(store_url: str, namespace: str) -> Iterator[TickerQ]:
    with ticker_app(store_url, namespace) as made:
        made.function("Send")(lambda: None)
        yield made


def left_behind(tickerq: TickerQ) -> tuple[list[str], list[str], int]:
    """Return the threads and rows of workers, and how many receivers wait for a worker's end."""
    threads = [
        each.name
        for each in threading.enumerate()
        if each.name in {"tickerq-heartbeat", "tickerq-limits", "tickerq-seeders"}
    ]
    rows = [node.name for node in tickerq.core.read(nodes.list_nodes)]
    return threads, rows, len(signals.worker_shutdown.receivers or ())


def use_a_worker(tickerq: TickerQ) -> None:
    """Let a worker of this process run one run."""
    with start_worker(tickerq.app, perform_ping_check=False, shutdown_timeout=60):
        wait_until(lambda: tickerq.core.read(nodes.list_nodes), lambda: "a node row")
        run = tickerq.time_tickers.add(TimeTicker(function="Send"))
        wait_until(lambda: tickerq.runs.get(run.id).status is TickerStatus.DONE, lambda: "the run's end")


def test_a_worker_of_a_test_leaves_no_thread_and_no_row_behind(tickerq: TickerQ) -> None:
    before = left_behind(tickerq)
    for _ in range(2):
        use_a_worker(tickerq)
        assert left_behind(tickerq) == before
    assert before[:2] == ([], [])


def test_a_worker_runs_its_seeders_when_it_starts(tickerq: TickerQ) -> None:
    @tickerq.seeder(version=1)
    def demo(session: Session) -> None:
        tickerq.time_tickers.add(TimeTicker(function="Send", description="seeded"), session=session)

    for _ in range(2):
        with start_worker(tickerq.app, perform_ping_check=False, shutdown_timeout=60):
            wait_until(lambda: tickerq.core.read(nodes.list_nodes), lambda: "a node row")
            wait_until(tickerq.runs.count, lambda: "what was seeded")
    assert [run.description for run in tickerq.runs.find()] == ["seeded"]


class Seen:
    """What a worker's heartbeats say of it."""

    def __init__(self, tickerq: TickerQ) -> None:
        self._core = tickerq.core

    def is_idle(self) -> bool:
        """Return True once a heartbeat that begins now has said that the worker has nothing."""
        known = [(node.counter, node.idle_since) for node in self._core.read(nodes.list_nodes)]
        return bool(known) and self._after(known[0][0] + 2) is not None

    def wait_until_idle(self) -> None:
        wait_until(self.is_idle, lambda: "an idle worker")

    def _after(self, counter: int) -> datetime | None:
        def later() -> list[Node]:
            return [node for node in self._core.read(nodes.list_nodes) if node.counter >= counter]

        return wait_until(later, lambda: "a later heartbeat")[0].idle_since


@pytest.fixture
def seen(store_url: str, namespace: str) -> Iterator[tuple[TickerQ, Seen]]:
    """An app whose worker beats often, and what its heartbeats say."""
    with ticker_app(store_url, namespace, heartbeat=0.1) as made:
        yield made, Seen(made)


def test_a_worker_is_not_idle_before_the_end_of_its_last_task_is_recorded(
    seen: tuple[TickerQ, Seen], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tickerq_celery.worker.following.longest_wait", lambda hard, elapsed, lease: 0.05)
    answered, finish = threading.Event(), ExecutionRecorder.finish

    def slow(*args: Any, **options: Any) -> Any:
        answered.wait(60)
        return finish(*args, **options)

    monkeypatch.setattr(ExecutionRecorder, "finish", slow)
    tickerq, heartbeats = seen
    begun = threading.Event()

    @tickerq.app.task(name="shop.work", shared=False)
    def work() -> None:
        begun.set()

    with start_worker(tickerq.app, perform_ping_check=False, shutdown_timeout=60):
        heartbeats.wait_until_idle()
        tickerq.time_tickers.add(TimeTicker(task=work))
        assert begun.wait(60)
        wait_until(lambda: not held_requests(), lambda: "what the worker does next")
        assert not heartbeats.is_idle()
        answered.set()
        heartbeats.wait_until_idle()


def test_a_worker_is_not_idle_while_a_child_of_its_pool_has_something_to_record(
    seen: tuple[TickerQ, Seen], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(current_process(), "index", 0, raising=False)
    monkeypatch.setattr("tickerq_celery.worker.child_marks._lives", lambda pid: True)
    tickerq, heartbeats = seen
    with start_worker(tickerq.app, perform_ping_check=False, shutdown_timeout=60):
        heartbeats.wait_until_idle()
        marks = tickerq._process.get().child_marks
        marks.begin(uuid4(), 1)
        assert not heartbeats.is_idle()
        marks.end()
        heartbeats.wait_until_idle()


class Batching(Task):
    """A task as celery-batches makes them: a strategy of its own takes messages, and no trace runs them."""

    def Strategy(self, task: Any, app: Any, consumer: Any) -> Any:  # noqa: N802 - Celery's name
        request_class = create_request_cls(Request, task, consumer.pool, consumer.hostname, None, app=app)

        def handle(message: Any, body: Any, ack: Any, reject: Any, callbacks: Any, **_: Any) -> None:
            made = request_class(
                message, on_ack=ack, on_reject=reject, app=app, task=task, headers=message.headers
            )
            signals.task_received.send(sender=consumer, request=made)
            made.acknowledge()
            task.got.append(message.payload[0][0])

        return handle


@pytest.fixture
def report(tickerq: TickerQ) -> Any:
    """A batching task, which keeps the arguments that it got."""

    @tickerq.app.task(name="shop.report", base=Batching, shared=False, got=[])
    def report(number: int) -> None: ...

    return report


def test_a_call_of_a_batching_task_is_done_by_its_publication(tickerq: TickerQ, report: Any) -> None:
    with start_worker(tickerq.app, perform_ping_check=False, shutdown_timeout=60):
        wait_until(lambda: tickerq.core.read(nodes.list_nodes), lambda: "a node row")
        run = tickerq.time_tickers.add(TimeTicker(task=report, args=(1,), on_lost=OnLost.RETRY))
        wait_until(lambda: tickerq.runs.get(run.id).status is TickerStatus.DONE, lambda: "the run's end")
        wait_until(lambda: report.got, lambda: "the batch")
    ended = tickerq.runs.get(run.id)
    assert (ended.outcome_known, ended.published_at is not None, report.got) == (False, True, [1])


def test_children_of_a_batching_task_get_no_report_and_their_parent_fails(
    tickerq: TickerQ, report: Any
) -> None:
    child = TimeTicker(task=report, args=(2,), run_condition=RunCondition.ON_SUCCESS)
    with start_worker(tickerq.app, perform_ping_check=False, shutdown_timeout=60):
        wait_until(lambda: tickerq.core.read(nodes.list_nodes), lambda: "a node row")
        run = tickerq.time_tickers.add(TimeTicker(task=report, args=(1,), children=[child]))
        wait_until(lambda: tickerq.runs.get(run.id).status is TickerStatus.FAILED, lambda: "the run's end")
    assert tickerq.runs.get(run.id).exception_type == "OutcomeUnknown"
    [child_run] = tickerq.runs.find(parent_id=run.id)
    assert (child_run.status, report.got) == (TickerStatus.SKIPPED, [1])
