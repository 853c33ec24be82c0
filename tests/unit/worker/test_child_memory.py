"""The garbage of failed tasks in a child of the pool, and what a collection of it passes over."""

import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from weakref import WeakSet

import pytest
from celery import signals
from celery.states import FAILURE, IGNORED, RETRY, SUCCESS

from tests.forked import Cycle, in_a_child
from tickerq_celery.worker.child_memory import ChildMemory

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
MOST = 20


@pytest.fixture(autouse=True)
def _listening() -> Iterator[None]:
    memory = ChildMemory()
    memory.listen()
    yield
    memory.close()


def test_a_child_collects_after_so_many_tasks_that_did_not_succeed() -> None:
    assert in_a_pool(lambda: most_alive([FAILURE, RETRY, IGNORED], tasks=3 * MOST)) == MOST


def test_a_child_collects_nothing_while_its_tasks_succeed() -> None:
    assert in_a_pool(lambda: most_alive([SUCCESS], tasks=3 * MOST)) == 3 * MOST


def test_a_collection_in_a_child_passes_over_what_was_there_before_the_fork() -> None:
    def collect() -> int:
        gc.collect()
        return len(alive)

    with no_collections():
        alive = WeakSet([Cycle()])
        assert in_a_pool(collect) == 1


def test_a_process_that_is_no_child_is_left_alone() -> None:
    # As the solo pool does in the worker's only process.
    before = gc.get_freeze_count()
    signals.worker_process_init.send(sender=None)
    assert gc.get_freeze_count() == before
    assert most_alive([FAILURE], tasks=2 * MOST) == 2 * MOST


def most_alive(states: list[str], *, tasks: int) -> int:
    """End tasks in these states by turns, each with a cycle; return how many cycles there were at most."""
    alive: WeakSet[Cycle] = WeakSet()
    most = 0
    with no_collections():
        for number in range(tasks):
            alive.add(Cycle())
            most = max(most, len(alive))
            signals.task_postrun.send(sender=None, state=states[number % len(states)])
    return most


@contextmanager
def no_collections() -> Iterator[None]:
    """Collect only what is asked for: Python may do it at any allocation."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def in_a_pool(measure: Callable[[], int]) -> int:
    """Return what is measured in a process that has just started as a child of a pool."""

    def start_and_measure() -> int:
        signals.worker_process_init.send(sender="test")
        return measure()

    return in_a_child(start_and_measure)
