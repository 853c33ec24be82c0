"""Keep a fork from happening while another thread is inside a driver.

A child inherits every lock as it stood, and the thread that would release it is not in the child: one that
is forked while SQLite holds a mutex in the parent hangs at its first statement, for ever, with no error.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

# A thread that stays inside for longer waits for a server, and there holds nothing that a child needs.
_LONGEST_WAIT = 2.0


class ForkGate:
    """Shut while a thread is inside: this process's forks wait until it has left."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._fork = threading.local()
        os.register_at_fork(
            before=self._before, after_in_parent=self._after_in_parent, after_in_child=self._after_in_child
        )

    @contextmanager
    def shut(self) -> Iterator[None]:
        """Let no fork happen until the block has ended."""
        with self._lock:
            yield

    def _before(self) -> None:
        self._fork.has_lock = self._lock.acquire(timeout=_LONGEST_WAIT)

    def _after_in_parent(self) -> None:
        if self._fork.has_lock:
            self._lock.release()

    def _after_in_child(self) -> None:
        self._lock = threading.RLock()


@cache
def fork_gate() -> ForkGate:
    """Return this process's gate; what is registered for forks cannot be taken back."""
    return ForkGate()
