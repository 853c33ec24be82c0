import os
import threading
import warnings

import pytest

from tickerq_celery.worker import fork_gate as gates
from tickerq_celery.worker.fork_gate import fork_gate


def fork_a_child_that_ends() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of the very danger
        child = os.fork()
    if child == 0:
        os._exit(0 if enters() else 1)
    assert os.waitpid(child, 0)[1] == 0


def enters() -> bool:
    with fork_gate().shut():
        return True


def test_a_fork_waits_until_the_other_thread_has_left() -> None:
    inside, forked = threading.Event(), threading.Event()
    forked_meanwhile: list[bool] = []

    def stay() -> None:
        with fork_gate().shut():
            inside.set()
            forked_meanwhile.append(forked.wait(0.2))

    thread = threading.Thread(target=stay)
    thread.start()
    assert inside.wait(5)
    fork_a_child_that_ends()
    forked.set()
    thread.join()
    assert forked_meanwhile == [False]


def test_a_fork_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gates, "_LONGEST_WAIT", 0.01)
    inside, leave = threading.Event(), threading.Event()

    def stay() -> None:
        with fork_gate().shut():
            inside.set()
            leave.wait(5)

    thread = threading.Thread(target=stay)
    thread.start()
    assert inside.wait(5)
    fork_a_child_that_ends()
    leave.set()
    thread.join()
    assert enters()


def test_a_thread_that_is_inside_may_fork_itself() -> None:
    with fork_gate().shut():
        fork_a_child_that_ends()
    assert enters()
