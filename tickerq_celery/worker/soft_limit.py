"""Keep Celery's soft time limit from interrupting what this package does around the body of a task."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# In seconds: long enough for the body to have begun.
_REPEATED_AFTER = 0.05


class HeldLimit:
    """A soft limit that came before the body: it is raised again soon, unless the body has ended by then."""

    def __init__(self) -> None:
        self._repeat: threading.Timer | None = None

    def repeat(self) -> None:
        """Let it interrupt the body."""
        self._repeat = threading.Timer(_REPEATED_AFTER, os.kill, (os.getpid(), signal.SIGUSR1))
        self._repeat.daemon = True
        self._repeat.start()

    def cancel(self) -> None:
        """Let it interrupt nothing any more: a child of the pool that executes nothing would end by it."""
        if self._repeat is not None:
            self._repeat.cancel()


@contextmanager
def soft_limit_held_back(*, is_child: bool, before: HeldLimit | None = None) -> Iterator[None]:
    """Hold the signal of the soft limit back for the block: Celery would take what it raises for ours.

    One that came meanwhile is repeated by ``before``, where a body follows, and else forgotten. Only a child
    of a prefork pool gets that signal.
    """
    if not is_child:
        yield
        return
    held: list[int] = []
    previous = signal.signal(signal.SIGUSR1, lambda number, frame: held.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGUSR1, previous)
        if held and before is not None:
            before.repeat()
