"""Threads of one kind that have nothing to do, kept for the next caller."""

import os
from collections import deque
from contextlib import suppress

from tickerq_celery.runtime.work_thread import WorkThread


class IdleThreads:
    """The idle threads of this process; one is made where there is none, and after a fork."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._threads: deque[WorkThread] = deque()
        self._pid = os.getpid()

    def __len__(self) -> int:
        return len(self._threads)

    def take(self) -> WorkThread:
        """Return a thread that has nothing to do; it is the caller's until it is given back."""
        if self._pid != os.getpid():
            # Threads do not survive a fork.
            self._threads, self._pid = deque(), os.getpid()
        with suppress(IndexError):
            return self._threads.pop()
        return WorkThread(lambda: None, name=self._name)

    def give_back(self, thread: WorkThread) -> None:
        """Keep a thread that has nothing to do."""
        self._threads.append(thread)

    def end(self) -> None:
        """Let the threads end; the next caller gets another one."""
        with suppress(IndexError):
            while True:
                self._threads.pop().end()
