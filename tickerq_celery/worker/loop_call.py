"""One coroutine on the process's event loop, and a thread that waits for its end."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from typing import Any, Generic, TypeVar

T = TypeVar("T")
_SLICE_SECONDS = 0.25

# What ends a process. asyncio raises these two out of the loop itself, whichever task they come from.
EXITS = (KeyboardInterrupt, SystemExit)


class LoopCall(Generic[T]):
    """One coroutine on the loop; all but ``wait`` and ``result`` is called on the loop's own thread."""

    def __init__(self, coroutine: Coroutine[Any, Any, T]) -> None:
        self._has_ended = False
        # Held until the end. An Event would not do: a signal handler that raises inside its wait may leave
        # its inner lock taken, and the loop would wait for that for ever.
        self._until_end = threading.Lock()
        self._until_end.acquire()
        self._coroutine = coroutine
        self._task: asyncio.Task[T | None] | None = None
        self._end: BaseException | None = None

    def wait(self, is_alive: Callable[[], bool]) -> None:
        """Return once the coroutine has ended, or cannot end any more as the loop is not alive."""
        while not self._has_ended:
            # In slices: a signal that comes as the wait begins does not end it.
            if not self._until_end.acquire(timeout=_SLICE_SECONDS) and not is_alive():
                self._abandon()

    def result(self) -> T:
        """Return what the coroutine returned, or raise what ended it; to be called once."""
        try:
            if self._end is not None:
                raise self._end
            return self._task.result()  # type: ignore[union-attr,return-value]  # it has ended, without an error
        finally:
            # What is raised has a traceback that holds the caller's frame, and that frame this call.
            self._end = self._task = None

    def begin(self) -> None:
        """Start the coroutine, in the context variables of the caller."""
        if self._has_ended:
            return
        self._task = asyncio.get_running_loop().create_task(self._body())
        self._task.add_done_callback(lambda _: self._ends())

    def cancel(self) -> None:
        """Cancel the coroutine, or let it never begin."""
        if self._task is not None:
            self._task.cancel()
        else:
            self._coroutine.close()
            self._ends()

    def exit(self, error: BaseException) -> bool:
        """End the coroutine with what a task of its own raised; return False if it had ended before."""
        if self._has_ended:
            return False
        self._end = error
        self.cancel()
        return True

    def _abandon(self) -> None:
        self._end = RuntimeError("the event loop ended before the coroutine did")
        if self._task is None:
            self._coroutine.close()
        self._has_ended = True

    def _ends(self) -> None:
        self._has_ended = True
        self._until_end.release()

    async def _body(self) -> T | None:
        _CURRENT.set(self)
        try:
            return await self._coroutine
        except EXITS as error:
            # Meant for the process: its caller raises it there.
            self._end = error
            return None


# A context variable, since each task that a coroutine creates begins with a copy of its context.
_CURRENT: ContextVar[LoopCall[Any] | None] = ContextVar("tickerq_call", default=None)


def current_call() -> LoopCall[Any] | None:
    """Return the call of which the current task is a part, directly or through the tasks between."""
    return _CURRENT.get()
