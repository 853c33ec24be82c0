"""What a worker's main process learns of Celery tasks whose bodies did not end by themselves."""

from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from billiard.exceptions import TimeLimitExceeded, WorkerLostError
from celery import Celery, signals
from celery.exceptions import Retry
from celery.worker import state

from tests.inner import Core, Recorder, Started, TaskExecution
from tests.integration.making import ListPublisher, attempts_of, enrolled, row_of
from tests.integration.runs.calls import begun, end, make_call, published, retry_of
from tests.integration.worker.celery_requests import Request
from tests.statements import starts
from tickerq_celery.enums import OnLost, TickerStatus
from tickerq_celery.worker.held_requests import held_claims
from tickerq_celery.worker.misrouted import MisroutedLog
from tickerq_celery.worker.signals import SignalHandler, SignalListener

QUEUED, IN_PROGRESS, DONE = TickerStatus.QUEUED, TickerStatus.IN_PROGRESS, TickerStatus.DONE
FAILED, CANCELLED = TickerStatus.FAILED, TickerStatus.CANCELLED
LOST = WorkerLostError("signal 9")


class MainProcess:
    """A worker's main process: Celery's signals come to it, and it writes what they mean."""

    def __init__(self, core: Core) -> None:
        self.app = Celery("main", set_as_current=False)
        self.publisher = ListPublisher()
        misrouted = MisroutedLog(core.config.namespace)
        self.listener = SignalListener(self.app, misrouted)
        self._handler = SignalHandler(core, Recorder(core), self.publisher, misrouted)
        self.requests: list[Request] = []

    @property
    def task(self) -> "Sender":
        return Sender(self.app)

    def receive(self, execution: TaskExecution, *, task_id: str | None = None) -> "Request":
        """Let a message come, and a pool accept it."""
        request = Request(execution, task_id or execution.task_id)
        self.requests.append(request)
        signals.task_received.send(sender=Sender(self.app), request=request)
        return request

    def fail(self, request: "Request", error: Exception) -> None:
        signals.task_failure.send(
            sender=self.task, task_id=request.id, exception=error, kwargs=request.kwargs
        )
        self.write()

    def miss(self, run: Started) -> None:
        """Let two heartbeats not find a run."""
        self._handler.lost(run)

    def revoke(self, request: "Request", **how: bool) -> None:
        flags: dict[str, Any] = {"terminated": False, "expired": False, **how}
        signals.task_revoked.send(sender=self.task, request=request.context, signum=None, **flags)
        self.write()

    def retry(self, request: "Request", **reason: Any) -> None:
        signals.task_retry.send(sender=self.task, request=request.context, einfo=None, **reason)
        self.write()

    def write(self) -> None:
        """Write what was reported."""
        while not self.listener.reports.empty():
            self._handler.handle(self.listener.reports.get_nowait())


class Sender:
    """A task, or a consumer, as the sender of a signal."""

    def __init__(self, app: Celery) -> None:
        self.app = app


@pytest.fixture
def core(core: Core) -> Core:
    """A core that a live worker follows."""
    return enrolled(core)


@pytest.fixture
def main(core: Core) -> Iterator[MainProcess]:
    made = MainProcess(core)
    made.listener.listen()
    yield made
    made.listener.close()


def ends(core: Core, execution: TaskExecution) -> list[tuple[TickerStatus, str | None]]:
    return [(each.status, each.exception_type) for each in attempts_of(core, execution.id)]


@pytest.mark.parametrize(
    ("error", "shown"),
    [(LOST, "WorkerLost"), (TimeLimitExceeded(1), "billiard.exceptions.TimeLimitExceeded")],
)
def test_what_celery_reports_twice_is_one_failed_attempt(
    core: Core, main: MainProcess, error: Exception, shown: str
) -> None:
    execution = published(core, make_call(core))
    request = main.receive(execution)
    begun(core, execution)
    for _ in range(2):
        main.fail(request, error)
    assert row_of(core, execution.id).status is FAILED
    assert ends(core, execution) == [(FAILED, shown)]
    assert main.publisher.lost == []


def test_a_lost_execution_of_a_ticker_that_says_retry_is_rescued(core: Core, main: MainProcess) -> None:
    execution = published(core, make_call(core, columns={"on_lost": OnLost.RETRY.value}))
    begun(core, execution)
    main.fail(main.receive(execution), LOST)
    assert row_of(core, execution.id).status is TickerStatus.IDLE


def test_a_late_report_touches_no_later_retry_and_no_end(core: Core, main: MainProcess) -> None:
    execution = published(core, make_call(core))
    request = main.receive(execution)
    begun(core, execution)
    second = begun(core, retry_of(execution))
    main.fail(request, LOST)
    assert row_of(core, execution.id).status is IN_PROGRESS
    end(core, second)
    main.fail(request, LOST)
    assert row_of(core, execution.id).status is DONE


def test_a_late_report_touches_no_later_claim_that_the_worker_executes(core: Core, main: MainProcess) -> None:
    # The pool notices a lost child later than the heartbeats do: all claims of a run have one task id.
    execution = published(core, make_call(core, columns={"on_lost": OnLost.RETRY.value}))
    request = main.receive(execution)
    main.miss(begun(core, execution))
    again = published(core, execution.id)
    main.receive(again)
    begun(core, again)
    main.fail(request, LOST)
    assert row_of(core, execution.id).status is IN_PROGRESS
    assert ends(core, execution) == [(FAILED, "WorkerLost")]


def test_an_id_that_looks_like_a_functions_claim_is_known_by_its_header(
    core: Core, main: MainProcess
) -> None:
    execution = published(core, make_call(core, columns={"task_id": "a:1"}))
    request = main.receive(execution)
    begun(core, execution)
    main.fail(request, LOST)
    main.revoke(request, terminated=True)
    assert ends(core, execution) == [(FAILED, "WorkerLost")]
    assert main.publisher.lost == []


@pytest.mark.parametrize(("flag", "reason"), [("expired", "expired"), (None, "revoked")])
def test_a_message_that_is_discarded_before_it_begins_cancels_its_run(
    core: Core, main: MainProcess, flag: str | None, reason: str
) -> None:
    execution = published(core, make_call(core))
    main.revoke(main.receive(execution), **({flag: True} if flag else {}))
    row = row_of(core, execution.id)
    assert (row.status, row.skipped_reason) == (CANCELLED, reason)


def test_a_second_message_that_is_discarded_does_not_end_the_execution_of_the_first(
    core: Core, main: MainProcess
) -> None:
    execution = published(core, make_call(core))
    begun(core, execution)
    main.revoke(main.receive(execution), expired=True)
    assert row_of(core, execution.id).status is IN_PROGRESS


def test_an_execution_whose_process_is_ended_is_cancelled(core: Core, main: MainProcess) -> None:
    execution = published(core, make_call(core))
    begun(core, execution)
    main.revoke(main.receive(execution), terminated=True)
    assert ends(core, execution) == [(CANCELLED, "Terminated")]


def test_a_task_that_the_worker_does_not_have_fails_its_run(core: Core, main: MainProcess) -> None:
    execution = published(core, make_call(core))
    headers = Request(execution, execution.task_id).request_dict
    signals.task_unknown.send(
        sender=Sender(main.app),
        message=SimpleNamespace(headers=headers, delivery_info={}),
        exc=KeyError("shop.add"),
        name="shop.add",
        id=str(execution.id),
    )
    main.write()
    row = row_of(core, execution.id)
    assert (row.status, row.exception_type) == (FAILED, "celery.exceptions.NotRegistered")


def test_a_retry_for_a_lost_child_is_published_again(core: Core, main: MainProcess) -> None:
    execution = published(core, make_call(core))
    request = main.receive(execution)
    begun(core, execution)
    main.retry(request, reason=Retry(exc=LOST, when=180))
    row = row_of(core, execution.id)
    assert (row.status, row.retry_count) == (QUEUED, 1)
    assert ends(core, execution) == [(FAILED, "WorkerLost")]


@pytest.mark.parametrize("reason", [{}, {"reason": Retry(exc=OSError("by the body"), when=5)}])
def test_other_retries_that_the_main_process_receives_are_not_its_to_record(
    core: Core, main: MainProcess, reason: dict[str, Any]
) -> None:
    execution = published(core, make_call(core))
    request = main.receive(execution)
    begun(core, execution)
    main.retry(request, **reason)
    assert row_of(core, execution.id).status is IN_PROGRESS


def test_of_two_apps_in_one_process_each_reports_its_own_tasks(core: Core, main: MainProcess) -> None:
    execution = published(core, make_call(core))
    begun(core, execution)
    other = MainProcess(core)
    request = other.receive(execution)
    signals.task_failure.send(sender=other.task, task_id=request.id, exception=LOST, kwargs=request.kwargs)
    signals.task_revoked.send(
        sender=other.task, request=request.context, terminated=True, signum=None, expired=False
    )
    assert main.listener.reports.empty()


def test_messages_without_the_header_are_not_reported(main: MainProcess) -> None:
    plain = SimpleNamespace(id="plain", headers=None, retries=0)
    signals.task_failure.send(sender=main.task, task_id="plain", exception=LOST)
    signals.task_revoked.send(sender=main.task, request=plain, terminated=True, signum=None, expired=False)
    assert main.listener.reports.empty()


def test_a_call_that_a_process_holds_is_known_by_its_header(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    execution = published(core, make_call(core))
    request = Request(execution, "any text")
    monkeypatch.setattr(state, "reserved_requests", {request})
    assert f"{execution.id}:1" in held_claims()


def test_two_heartbeats_that_do_not_find_a_call_end_it_by_its_own_on_lost(
    core: Core, main: MainProcess
) -> None:
    execution = published(core, make_call(core))
    run = begun(core, execution)
    main._handler.lost(run)
    assert row_of(core, execution.id).status is FAILED
    assert core.read(starts.running_under, core.node.id, limit=1) == []


@pytest.mark.parametrize("name", ["id", "task"])
def test_reports_of_a_message_that_only_has_the_headers_of_a_call_touch_no_run(
    core: Core, main: MainProcess, name: str
) -> None:
    execution = published(core, make_call(core))
    change = {"task_id": "another"} if name == "id" else {"task": "shop.other"}
    other = main.receive(replace(execution, **change))
    main.revoke(other)
    assert row_of(core, execution.id).status is QUEUED
    begun(core, execution)
    before = row_of(core, execution.id)
    main.fail(other, LOST)
    main.fail(other, TimeLimitExceeded(1))
    main.revoke(other, terminated=True)
    main.retry(other, reason=Retry(exc=LOST, when=180))
    assert row_of(core, execution.id) == before
    assert ends(core, execution) == []
