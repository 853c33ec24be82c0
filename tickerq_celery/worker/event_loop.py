"""The event loop of this process: every coroutine runs on it, whichever thread asks for it.

One loop for the life of a process lets what belongs to a loop, such as a pool of connections, outlive a run.
"""

import asyncio
import atexit
import os
import threading
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from tickerq_celery.errors import TickerCancelled
from tickerq_celery.worker.loop_call import LoopCall
from tickerq_celery.worker.loop_thread import LoopThread
from tickerq_celery.worker.run_control import RunControl

T = TypeVar("T")
_POLL_SECONDS = 0.1
_CLOSE_SECONDS = 5.0


async def cancellable(body: Coroutine[Any, Any, T], control: RunControl) -> T:
    """Run a coroutine, which asyncio cancels when its run is cancelled.

    Raises:
        TickerCancelled: The coroutine let that end it.
    """
    task = asyncio.ensure_future(body)
    watch = asyncio.ensure_future(_cancel_when_requested(task, control))
    try:
        return await task
    except asyncio.CancelledError as error:
        if watch.done():
            raise TickerCancelled from error
        raise
    finally:
        watch.cancel()
        # They hold what they raise, and its traceback holds this frame.
        del task, watch


async def _cancel_when_requested(task: asyncio.Task[Any], control: RunControl) -> None:
    # In a thread, as nothing else on this loop may wait for the store.
    while not (control.may_be_requested and await asyncio.to_thread(control.is_requested)):
        await asyncio.sleep(_POLL_SECONDS)
    task.cancel()


class EventLoop:
    """A loop in a thread of its own, made when first used, and made anew after a fork."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._thread: LoopThread | None = None
        os.register_at_fork(after_in_child=self._forget)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end, in the context variables of the caller, and return its result.

        Where the caller is interrupted meanwhile, the coroutine is cancelled, and has ended before the
        interruption goes on. SystemExit and KeyboardInterrupt of the coroutine, and of the tasks that it
        creates, reach the caller, and nothing else on the loop.

        Raises:
            RuntimeError: The caller is on the loop itself, and would wait for ever; or the loop has ended
                before the coroutine did.
        """
        thread = self._running()
        if threading.current_thread() is thread:
            coroutine.close()
            raise RuntimeError("the event loop cannot wait for a coroutine of its own: await it")
        call = LoopCall(coroutine)
        try:
            thread.loop.call_soon_threadsafe(call.begin)
            call.wait(thread.is_alive)
        # Whatever interrupts the caller, a signal too, ends what it waits for.
        except BaseException:
            with suppress(RuntimeError):  # the loop is closed
                thread.loop.call_soon_threadsafe(call.cancel)
            call.wait(thread.is_alive)
            raise
        return call.result()

    def close(self) -> None:
        """Cancel what still runs on the loop, let it end, and close the loop; the next use makes another."""
        with self._mutex:
            thread, self._thread = self._thread, None
        if thread is None or not thread.is_alive():
            return
        thread.close()
        # A coroutine that does not yield keeps its thread, which ends with the process.
        thread.join(_CLOSE_SECONDS)

    def _running(self) -> LoopThread:
        with self._mutex:
            if self._thread is None or not self._thread.is_alive():
                self._thread = LoopThread()
                self._thread.start()
            return self._thread

    def _forget(self) -> None:
        # The parent's thread is not in the child, and the lock may have been held.
        self._mutex = threading.Lock()
        self._thread = None


# One for the process, made before any thread could make another; it starts nothing until it is used.
_LOOP = EventLoop()
atexit.register(_LOOP.close)


def event_loop() -> EventLoop:
    """Return this process's loop."""
    return _LOOP
