"""Call a function's body with what its run was given, on the event loop where it is async."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from tickerq_celery.functions.binding import passed
from tickerq_celery.functions.context import TickerContext
from tickerq_celery.functions.definition import Function
from tickerq_celery.worker.event_loop import cancellable, event_loop
from tickerq_celery.worker.run_control import RunControl


def call_body(
    function: Function,
    context: TickerContext[Any],
    request: object,
    *,
    control: RunControl,
    at_end: Callable[[], Awaitable[None]],
) -> object:
    """Return what the body returns; a coroutine runs on this process's event loop.

    asyncio cancels the coroutine when ``control`` says that its run is to be cancelled. ``at_end`` is
    awaited on that loop, whatever the coroutine raised.
    """
    args, kwargs = passed(function.signature, context, request)
    try:
        result: object = function.body(*args, **kwargs)
        # A plain wrapper around a coroutine function returns a coroutine, too.
        if not inspect.iscoroutine(result):
            return result
        return event_loop().run(_followed_by(cancellable(result, control), at_end))
    except asyncio.CancelledError as error:
        # No Exception to Python, and the body's own failure to us: nothing else cancels in its loop.
        raise RuntimeError("the function let a CancelledError of asyncio escape") from error


async def _followed_by(body: Coroutine[Any, Any, Any], at_end: Callable[[], Awaitable[None]]) -> object:
    try:
        return await body
    finally:
        await at_end()
