"""Threads in which executions are recorded, so that a task waits for that a limited time."""

import os
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from tickerq_celery.runtime.work_thread import WorkThread


class Recording:
    """What is being recorded of one execution, in one thread; ``is_over`` once all of that is done."""

    def __init__(self, thread: WorkThread, threads: "ReportThreads") -> None:
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

    def leave(self) -> None:
        """Let the thread do what it was asked for by itself, and end then."""
        self._thread.end()


class ReportThreads:
    """The idle threads of this process; a thread is made where there is none."""

    def __init__(self) -> None:
        self._idle: deque[WorkThread] = deque()
        self._pid = os.getpid()

    def record(self, work: Callable[[], None], *, limit: float, after: Recording | None = None) -> Recording:
        """Do ``work``, which raises nothing, and after what is not over; wait ``limit`` seconds at most."""
        recording = Recording(self._take(), self) if after is None or after.is_over else after
        recording.wait(work, limit)
        return recording

    def give_back(self, thread: WorkThread) -> None:
        """Keep a thread that has nothing to do."""
        self._idle.append(thread)

    def _take(self) -> WorkThread:
        if self._pid != os.getpid():
            # Threads do not survive a fork.
            self._idle, self._pid = deque(), os.getpid()
        with suppress(IndexError):
            return self._idle.pop()
        return WorkThread(lambda: None, name="tickerq-report")
