"""A thread that does calls for another one, which waits no longer than it wants to."""

import threading
import time
from collections.abc import Callable
from functools import partial
from queue import Empty, SimpleQueue
from typing import NoReturn, TypeVar

T = TypeVar("T")
# In seconds. Python runs signal handlers in the main thread alone, and a signal that another thread received
# does not end the main thread's wait on every platform.
_LONGEST_WAIT = 0.5


class WorkThread:
    """A daemon thread that does one call after the other; what it hangs in does not keep the process alive.

    A driver that waits for a frozen server handles no signal, and psycopg has no time limit of its own for an
    answer. Here the caller's wait is what a signal interrupts: its handler may raise there, and may itself
    make a call, which waits for the one before it. Only SimpleQueue is used to wait, as it is reentrant.
    """

    def __init__(self, begin: Callable[[], object], *, name: str) -> None:
        self._begin = begin
        self._calls: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        threading.Thread(target=self._serve, name=name, daemon=True).start()

    def call(self, work: Callable[[], T], *, limit: float | None = None) -> T:
        """Do ``work`` in the thread, after what was asked of it before, and return what it returned.

        Raises:
            TimeoutError: It took longer than ``limit`` seconds; the thread goes on with it.
            Exception: Whatever ``work`` raised.
        """
        return awaited(self.begin(work), limit=limit)

    def begin(self, work: Callable[[], T]) -> "SimpleQueue[Callable[[], T]]":
        """Ask for ``work``, after what was asked of the thread before; its outcome can be ``awaited``."""
        outcomes: SimpleQueue[Callable[[], T]] = SimpleQueue()
        self._calls.put(lambda: outcomes.put(outcome_of(work)))
        return outcomes

    def end(self) -> None:
        """Let the thread end once it has done what was asked of it."""
        self._calls.put(None)

    def _serve(self) -> None:
        self._begin()
        while (call := self._calls.get()) is not None:
            call()


def awaited(outcomes: "SimpleQueue[Callable[[], T]]", *, limit: float | None) -> T:
    """Return what the first outcome of another thread returns, or raise its error.

    Raises:
        TimeoutError: There is none in ``limit`` seconds.
    """
    until = None if limit is None else time.monotonic() + limit
    while True:
        left = _LONGEST_WAIT if until is None else min(_LONGEST_WAIT, until - time.monotonic())
        try:
            outcome = outcomes.get(timeout=max(0.0, left))
        except Empty:
            if left <= 0:
                raise TimeoutError(f"no answer in {limit} s") from None
        else:
            return outcome()


def outcome_of(work: Callable[[], T]) -> Callable[[], T]:
    """Do ``work``; return what returns its result, or raises its error."""
    try:
        result = work()
    except BaseException as error:  # noqa: BLE001 - it is raised where the call was made
        return partial(_fail, error)
    return lambda: result


def _fail(error: BaseException) -> NoReturn:
    raise error
