"""A revoke that a worker has not heard takes effect when its heartbeat reads the run."""

import signal
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from celery.concurrency.prefork import TaskPool
from celery.worker import state

from tests.inner import CancelRequest, Core, TaskExecution
from tests.integration.making import enrolled
from tests.integration.runs.calls import begun, make_call, published
from tests.integration.worker.celery_requests import Request
from tickerq_celery.worker.cancel_command import CancelCommand
from tickerq_celery.worker.cancel_flag import CancelFlag


class Pool(TaskPool):
    """A prefork pool that notes the signals it is to send."""

    def __init__(self) -> None:
        self.sent: list[tuple[int, int]] = []

    def terminate_job(self, pid: int, signal: int | None = None) -> None:
        assert signal is not None
        self.sent.append((pid, signal))


@pytest.fixture
def revoked(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    ids: set[str] = set()
    monkeypatch.setattr(state, "revoked", ids)
    return ids


def held(execution: TaskExecution, pid: int | None) -> Any:
    request: Any = Request(execution, execution.task_id)
    request.worker_pid = pid
    return request


def test_the_child_of_a_call_that_is_to_be_terminated_gets_the_signal_and_no_other_one(
    core: Core, revoked: set[str]
) -> None:
    core = enrolled(core)
    execution = published(core, make_call(core, columns={"task_id": "mine"}))
    run = begun(core, execution)
    plain = SimpleNamespace(id="plain", request_dict={}, worker_pid=4)
    requests = [
        held(execution, 1),
        held(replace(execution, task_id="another"), 2),
        held(replace(execution, task="shop.other"), 3),
        held(replace(execution, retries=1), None),
        plain,
    ]
    pool = Pool()
    cancel_command = CancelCommand(CancelFlag(), pool, lambda: requests)
    cancel_command.cancel_as_stored(replace(run, cancel_request=CancelRequest.END))
    assert (pool.sent, revoked) == ([], set())
    for _ in range(2):
        cancel_command.cancel_as_stored(replace(run, cancel_request=CancelRequest.TERMINATE))
    assert pool.sent == [(1, signal.SIGTERM), (1, signal.SIGKILL)]
    assert revoked == {"mine"}
