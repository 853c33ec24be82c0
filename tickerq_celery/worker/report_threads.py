"""Threads in which the starts of executions are recorded, so that a body waits for that a limited time."""

import os
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from tickerq_celery.runtime.work_thread import WorkThread

# A body waits so long for the record of its start, in seconds.
LONGEST_WAIT = 1.0


class RecordedStart:
    """A start that is being recorded; ``is_over`` once the store has answered, or failed."""

    def __init__(self, thread: WorkThread, threads: "StartThreads") -> None:
        self._thread = thread
        self._threads = threads
        self.is_over: bool = False

    def wait(self, work: Callable[[], None], limit: float) -> bool:
        """Return True once ``work``, and all that was asked of its thread before, is done in time."""
        try:
            self._thread.call(work, limit=limit)
        except TimeoutError:
            return False
        self.is_over = True
        self._threads.give_back(self._thread)
        return True

    def give_up(self) -> None:
        """Let the thread end with what it does."""
        self._thread.end()


class StartThreads:
    """The idle threads of this process; a thread is made where there is none."""

    def __init__(self) -> None:
        self._idle: deque[WorkThread] = deque()
        self._pid = os.getpid()

    def record(self, work: Callable[[], None]) -> RecordedStart:
        """Do ``work``, which raises nothing; return once it is done, after ``LONGEST_WAIT`` at the latest."""
        start = RecordedStart(self._take(), self)
        start.wait(work, LONGEST_WAIT)
        return start

    def give_back(self, thread: WorkThread) -> None:
        """Keep a thread that has nothing to do."""
        self._idle.append(thread)

    def _take(self) -> WorkThread:
        if self._pid != os.getpid():
            # Threads do not survive a fork.
            self._idle, self._pid = deque(), os.getpid()
        with suppress(IndexError):
            return self._idle.pop()
        return WorkThread(lambda: None, name="tickerq-start")
