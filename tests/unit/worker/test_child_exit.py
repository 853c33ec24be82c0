"""A child of the pool whose parent died while the child started, which no signal reaches any more."""

import os
import select
import sys

import pytest
from billiard.context import ForkContext
from celery import signals

from tickerq_celery.worker.child_exit import prepare_exits

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
ENDED, RUNS = b"", b"r"


@pytest.fixture(autouse=True)
def _prepared() -> None:
    prepare_exits()


def test_a_child_whose_parent_died_before_it_was_ready_leaves() -> None:
    assert _what_a_child_does(parent_dies=True) == ENDED


def test_a_child_whose_parent_lives_stays() -> None:
    assert _what_a_child_does(parent_dies=False) == RUNS


def _what_a_child_does(*, parent_dies: bool) -> bytes:
    """Have a parent fork a child, and return what the child writes once it is ready: nothing if it leaves."""
    said, says = os.pipe()
    parent_ended, parent_lives = os.pipe()
    parent = os.fork()
    if parent == 0:
        pipes = (parent_ended, parent_lives, says)
        child = ForkContext().Process(target=_start, args=(*pipes, os.getpid(), parent_dies))
        child.start()
        if not parent_dies:
            child.join()
        os._exit(0)
    os.close(says)
    os.close(parent_lives)
    os.waitpid(parent, 0)
    assert select.select([said], [], [], 10.0)[0]
    try:
        return os.read(said, 1)
    finally:
        os.close(said)
        os.close(parent_ended)


def _start(parent_ended: int, parent_lives: int, says: int, parent: int, parent_dies: bool) -> None:
    os.close(parent_lives)
    if parent_dies:
        os.read(parent_ended, 1)  # returns once the parent's end of the pipe is closed
        while os.getppid() == parent:  # the kernel closes that before it gives the child another parent
            os.sched_yield()
    signals.worker_process_init.send(sender="test")
    os.write(says, RUNS)
    os._exit(0)
