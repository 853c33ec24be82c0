"""The event loop of this process: every coroutine runs on it, whichever thread asks for it.

One loop for the life of a process lets what belongs to a loop, such as a pool of connections, outlive a run.
"""

import asyncio
import atexit
import os
import threading
from collections.abc import Coroutine
from typing import Any, Generic, TypeVar

from tickerq_celery.errors import TickerCancelled
from tickerq_celery.worker.run_control import RunControl

T = TypeVar("T")
_LOOK_SECONDS = 0.1
_CLOSE_SECONDS = 5.0
_SLICE_SECONDS = 0.25


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


async def _cancel_when_requested(task: asyncio.Task[Any], control: RunControl) -> None:
    # In a thread, as nothing else on this loop may wait for the store.
    while not (control.may_be_requested and await asyncio.to_thread(control.is_requested)):
        await asyncio.sleep(_LOOK_SECONDS)
    task.cancel()


class EventLoop:
    """A loop in a thread of its own, made when first used, and made anew after a fork."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        os.register_at_fork(after_in_child=self._forget)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end, in the context variables of the caller, and return its result.

        Where the caller is interrupted meanwhile, the coroutine is cancelled, and has ended before the
        interruption goes on.

        Raises:
            RuntimeError: The caller is on the loop itself, and would wait for ever.
        """
        loop = self._running()
        if threading.current_thread() is self._thread:
            coroutine.close()
            raise RuntimeError("the event loop cannot wait for a coroutine of its own: await it")
        call = _Call(coroutine)
        try:
            loop.call_soon_threadsafe(call.begin)
            call.wait()
        # Whatever interrupts the caller, a signal too, ends what it waits for.
        except BaseException:
            loop.call_soon_threadsafe(call.cancel)
            call.wait()
            raise
        return call.result()

    def close(self) -> None:
        """Cancel what still runs on the loop, let it end, and close the loop; the next use makes another."""
        with self._mutex:
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is None or thread is None:
            return
        loop.call_soon_threadsafe(loop.stop)
        # A coroutine that does not yield keeps its thread, which ends with the process.
        thread.join(_CLOSE_SECONDS)

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._mutex:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=_live, args=(self._loop,), name="tickerq-event-loop", daemon=True
                )
                self._thread.start()
            return self._loop

    def _forget(self) -> None:
        # The parent's thread is not in the child, and the lock may have been held.
        self._mutex = threading.Lock()
        self._loop = self._thread = None


# One for the process, made before any thread could make another; it starts nothing until it is used.
_LOOP = EventLoop()
atexit.register(_LOOP.close)


def event_loop() -> EventLoop:
    """Return this process's loop."""
    return _LOOP


class _Call(Generic[T]):
    """One coroutine on the loop, and a thread that waits for its end."""

    def __init__(self, coroutine: Coroutine[Any, Any, T]) -> None:
        self._has_ended = False
        # Held until the end. An Event would not do: a signal handler that raises inside its wait may leave
        # its inner lock taken, and the loop would wait for that for ever.
        self._until_end = threading.Lock()
        self._until_end.acquire()
        self._coroutine = coroutine
        self._task: asyncio.Task[T | None] | None = None
        self._end: BaseException | None = None

    def wait(self) -> None:
        while not self._has_ended:
            # In slices: a signal that comes as the wait begins does not end it.
            self._until_end.acquire(timeout=_SLICE_SECONDS)

    def begin(self) -> None:
        if self._has_ended:
            return
        self._task = asyncio.get_running_loop().create_task(self._body())
        self._task.add_done_callback(lambda _: self._ends())

    def cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()
        else:
            self._coroutine.close()
            self._ends()

    def _ends(self) -> None:
        self._has_ended = True
        self._until_end.release()

    def result(self) -> T:
        if self._end is not None:
            raise self._end
        return self._task.result()  # type: ignore[union-attr,return-value]  # it has ended, without an error

    async def _body(self) -> T | None:
        try:
            return await self._coroutine
        except (KeyboardInterrupt, SystemExit) as error:
            # Meant for the process: raised here, they would end the loop under everybody else.
            self._end = error
            return None


def _live(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        loop.close()
