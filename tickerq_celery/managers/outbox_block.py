"""Blocks whose calls of tasks are kept, and which of them a call is made in."""

import asyncio
import threading
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from tickerq_celery.runtime.core import Core
from tickerq_celery.tickers.durable_calls import DurableCall

# The innermost of the blocks that this context was made in; a copy of it may be of another thread or task.
_ENTERED: ContextVar["OutboxBlock | None"] = ContextVar("tickerq_outbox", default=None)


class OutboxBlock:
    """A block of one thread, or of one task of an event loop."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._outer: OutboxBlock | None = None
        self._thread: threading.Thread | None = None
        self._task: asyncio.Task[Any] | None = None

    @property
    def outer(self) -> "OutboxBlock | None":
        """The block around it."""
        return self._outer

    def keep(self, call: DurableCall) -> None:
        """Keep a call that is made in it."""
        raise NotImplementedError

    def begin(self) -> None:
        """Let the calls of this thread or task be those of the block.

        Raises:
            RuntimeError: It has begun.
        """
        if self._thread is not None:
            raise RuntimeError("this outbox is entered already: call tickerq.outbox(session) for each block")
        self._outer, self._thread, self._task = _ENTERED.get(), threading.current_thread(), _task()
        _ENTERED.set(self)

    def end(self) -> None:
        """Let it have no further calls, in whichever context it ends."""
        self._thread = None
        if _ENTERED.get() is self:
            _ENTERED.set(self._outer)

    @property
    def is_here(self) -> bool:
        """True in the block itself, until it has ended."""
        return self._thread is threading.current_thread() and self._task in (None, _task())

    def is_of(self, core: Core) -> bool:
        """Return True for calls of the app with this core."""
        # A process that has become a node since has another core.
        return self._core.database is core.database


def entered_block(core_of: Callable[[], Core]) -> OutboxBlock | None:
    """Return the innermost block that a call is made in, of the app whose core ``core_of`` returns."""
    found = _ENTERED.get()
    # One that ended in another context is still found: no core, whose settings may be wrong, is made for it.
    while found is not None and not (found.is_here and found.is_of(core_of())):
        found = found.outer
    return found


def _task() -> "asyncio.Task[Any] | None":
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None
