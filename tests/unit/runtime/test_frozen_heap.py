"""What a beat and a worker have imported is in no later collection of theirs."""

import gc
import sys
from weakref import WeakSet

import pytest
from celery import signals
from celery.utils.dispatch import Signal

import tickerq_celery.scheduler  # noqa: F401  # it listens for the start of a beat
from tests.forked import Cycle, in_a_child
from tickerq_celery.runtime.frozen_heap import freeze_heap

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")


def test_what_is_garbage_is_freed_and_the_rest_frozen() -> None:
    def alive() -> int:
        gc.disable()
        garbage = WeakSet([Cycle()])
        freeze_heap()
        return len(garbage) if gc.get_freeze_count() > 10_000 else -1

    assert in_a_child(alive) == 0


def test_a_beat_freezes_its_heap_when_its_scheduler_is_there() -> None:
    assert in_a_child(lambda: frozen_by(signals.beat_init)) > 10_000


def frozen_by(signal: Signal) -> int:
    """Return how many more objects are frozen once a signal was sent."""
    gc.unfreeze()
    signal.send(sender=None)
    return gc.get_freeze_count()
