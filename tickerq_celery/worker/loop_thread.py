"""The thread of an event loop, which goes on whatever the tasks on it raise."""

import asyncio
import logging
import threading
from collections.abc import Coroutine, Generator
from functools import partial
from typing import Any, TypeVar

from tickerq_celery.worker.loop_call import EXITS, LoopCall, current_call

T = TypeVar("T")
logger = logging.getLogger(__name__)


class LoopThread(threading.Thread):
    """Runs a loop of its own until it is closed.

    SystemExit and KeyboardInterrupt of any task, and ``loop.stop()``, end asyncio's ``run_forever``, and with
    it everything that runs on the loop. Here they end the call to which the task belongs.
    """

    def __init__(self) -> None:
        super().__init__(name="tickerq-event-loop", daemon=True)
        self.loop = asyncio.new_event_loop()
        self.loop.set_task_factory(self._new_task)
        self._is_closed = False
        # Several, where tasks raise them in one iteration of the loop.
        self._exits: list[BaseException] = []

    def run(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            while not self._is_closed:
                self._run_until_stopped()
        finally:
            self.loop.close()

    def close(self) -> None:
        """Cancel what still runs on the loop, let it end, and close the loop; returns at once."""
        self.loop.call_soon_threadsafe(lambda: self.loop.create_task(self._close()))

    def _run_until_stopped(self) -> None:
        try:
            self.loop.run_forever()
        except EXITS as error:
            self._exits.append(error)
            # Behind the callbacks of the task that raised it: those were scheduled as it ended.
            self.loop.call_soon(self._log_exit, error)
        else:
            if not self._is_closed:
                logger.warning("the event loop was stopped by what runs on it, and goes on")

    async def _close(self) -> None:
        try:
            left = asyncio.all_tasks() - {asyncio.current_task()}
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)
            await self.loop.shutdown_asyncgens()
            await self.loop.shutdown_default_executor()
        finally:
            self._is_closed = True
            self.loop.stop()

    def _new_task(
        self,
        loop: asyncio.AbstractEventLoop,
        coroutine: Coroutine[Any, Any, T] | Generator[Any, None, T],
        **options: Any,
    ) -> asyncio.Task[T]:
        task = asyncio.Task(coroutine, loop=loop, **options)
        call = current_call()
        if call is not None:
            task.add_done_callback(partial(self._pass_exit_on, call))
        return task

    def _pass_exit_on(self, call: LoopCall[Any], task: asyncio.Task[Any]) -> None:
        # While there is no exit no task is asked for its error: asyncio logs those that no one asks for.
        if not self._exits or task.cancelled():
            return
        error = task.exception()
        if error is not None and self._is_left(error) and call.exit(error):
            self._forget(error)

    def _log_exit(self, error: BaseException) -> None:
        if self._is_left(error):
            self._forget(error)
            logger.error("ignored an exit on the event loop that belongs to no run: %r", error)

    def _is_left(self, error: BaseException) -> bool:
        return any(each is error for each in self._exits)

    def _forget(self, error: BaseException) -> None:
        self._exits = [each for each in self._exits if each is not error]
