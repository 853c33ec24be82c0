"""Bound the memory that failed tasks leave in a child of the prefork pool.

Celery's tracer (5.7 and before) makes a cycle of its own frame and the exception of a task that failed, and
on it hangs a copy of the code positions of every frame of the traceback: some 3,000 tuples of numbers.
Python's collector counts none of them, and would leave those of hundreds of failures. More is in
docs/how-it-works/celery-traceback-cycle.md.
"""

import gc
from typing import Any

from celery import signals
from celery.states import SUCCESS

from tickerq_celery.worker.child_exit import pool_parent

# A failure leaves some 0.3 MB.
_MOST_FAILURES = 20


class ChildMemory:
    """Collects garbage after so many failures, in the children that this process forks and not in itself."""

    def __init__(self) -> None:
        self._failures = 0

    def listen(self) -> None:
        """Connect to the signals of children; to be called before the pool forks them."""
        signals.worker_process_init.connect(self._on_child_start, weak=False)

    def close(self) -> None:
        """Disconnect again."""
        signals.worker_process_init.disconnect(self._on_child_start)

    def _on_child_start(self, **_: Any) -> None:
        if pool_parent() is None:
            return
        # A collection would walk all that was imported, for a quarter of a second, and by that make pages of
        # the parent's its own: some 45 MB. What is frozen it passes over.
        gc.freeze()
        signals.task_postrun.connect(self._on_task_end, weak=False)

    def _on_task_end(self, state: object = None, **_: Any) -> None:
        if state == SUCCESS:
            return
        self._failures += 1
        if self._failures >= _MOST_FAILURES:
            self._failures = 0
            # All generations: the garbage is made in so many steps that it grows old on the way.
            gc.collect()
