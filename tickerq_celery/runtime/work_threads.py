"""A few threads that do calls for others, each made when it is first needed."""

import os
import threading
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue

_Calls = SimpleQueue[Callable[[], object] | None]


class WorkThreads:
    """At most ``most`` daemon threads, which take calls in their order.

    Nothing here is waited for, so that a signal's handler may make a call, too.
    """

    def __init__(self, name: str, most: int) -> None:
        self._name = name
        self._most = most
        self._begin()

    def do(self, call: Callable[[], object]) -> None:
        """Let a thread do ``call``, which raises nothing, as soon as one is free."""
        if self._pid != os.getpid():
            # Threads do not survive a fork.
            self._begin()
        calls, idle = self._calls, self._idle
        calls.put(call)
        if not _taken(idle) and _taken(self._startable):
            threading.Thread(target=_serve, args=(calls, idle), name=self._name, daemon=True).start()

    def end(self) -> None:
        """Let the threads end once they have done what was asked of them; the next call makes new ones."""
        calls, started = self._calls, self._most - len(self._startable)
        self._begin()
        for _ in range(started):
            calls.put(None)

    def _begin(self) -> None:
        self._calls = _Calls()
        # One item for each thread that has nothing to do, and for each that may yet be started.
        self._idle: deque[None] = deque()
        self._startable: deque[None] = deque([None] * self._most)
        self._pid = os.getpid()


def _taken(tokens: deque[None]) -> bool:
    try:
        tokens.pop()
    except IndexError:
        return False
    return True


def _serve(calls: _Calls, idle: deque[None]) -> None:
    while (call := calls.get()) is not None:
        call()
        idle.append(None)
