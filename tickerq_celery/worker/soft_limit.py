"""Keep Celery's soft time limit from striking what this package does around the body of a task."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# In seconds: long enough for the body to have begun.
_REPEATED_AFTER = 0.05


@contextmanager
def soft_limit_held_back(*, is_child: bool, strikes_after: bool) -> Iterator[None]:
    """Hold the signal of the soft limit back for the block: Celery would take what it raises for ours.

    One that came meanwhile is sent again right after the block, where it ``strikes_after``: then the body
    runs. Only a child of a prefork pool gets that signal.
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
        if held and strikes_after:
            repeat = threading.Timer(_REPEATED_AFTER, os.kill, (os.getpid(), signal.SIGUSR1))
            repeat.daemon = True
            repeat.start()
