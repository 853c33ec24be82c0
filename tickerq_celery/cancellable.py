"""Coroutines that end when their run is cancelled."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Protocol, TypeVar

from tickerq_celery.errors import TickerCancelled

T = TypeVar("T")
_LOOK_SECONDS = 0.1


class Asks(Protocol):
    """Knows whether an attempt is to end."""

    @property
    def has_news(self) -> bool:
        """Whether it is worth asking."""

    def is_requested(self) -> bool:
        """Whether somebody wants the run cancelled."""


async def cancellable(body: Coroutine[Any, Any, T], control: Asks) -> T:
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


async def _cancel_when_requested(task: asyncio.Task[Any], control: Asks) -> None:
    # In a thread, as nothing else on this loop may wait for the store.
    while not (control.has_news and await asyncio.to_thread(control.is_requested)):
        await asyncio.sleep(_LOOK_SECONDS)
    task.cancel()
