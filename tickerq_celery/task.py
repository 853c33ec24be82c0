"""The task base class: makes at most one recorded attempt of one message."""

import inspect
import logging
from typing import TYPE_CHECKING, Any, NoReturn

from celery import Task

from tickerq_celery.broker.messages import header_of, task_name
from tickerq_celery.enums import DropReason
from tickerq_celery.functions.definition import Function
from tickerq_celery.worker.attempt import start
from tickerq_celery.worker.parts import ProcessParts, WorkerParts
from tickerq_celery.worker.request import Dropped
from tickerq_celery.worker.verdict import retry_asked_for

if TYPE_CHECKING:
    _Task = Task[Any, Any]
else:  # Celery 5.6 cannot subscript it at run time
    _Task = Task

logger = logging.getLogger(__name__)


class TickerTask(_Task):
    """Records an attempt around a function's body; drops messages that name no ticker.

    What Celery gets to know: Retry for a failed attempt that has a retry left, the body's own exception
    after the last, Ignore for a message that is stale.
    """

    abstract = True
    Request = "tickerq_celery.worker.request:TickerRequest"
    ticker_function: Function
    process: ProcessParts[WorkerParts]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        header = header_of(self.request.headers)
        if header is None:
            return super().__call__(*args, **kwargs)
        is_limited = any(self.request.timelimit or ())
        parts = self.process.get()
        with parts.child_marks.removed_after():
            start(parts, self.ticker_function, header).run(is_limited=is_limited)
        return None

    def retry(self, *args: Any, **kwargs: Any) -> Any:
        """Fail the attempt so that the store retries it; the arguments are Celery's.

        A ``countdown`` in seconds, or an ``eta``, overrides the retry interval, ``max_retries`` the ticker's
        ``retries``. With ``throw=False`` the exception is returned, and is to be raised.

        Raises:
            TickerValidationError: The wait is longer than 30 days, or no wait, or ``max_retries`` no number.
        """
        if header_of(self.request.headers) is None:
            return super().retry(*args, **kwargs)
        asked = inspect.signature(super().retry).bind(*args, **kwargs).arguments
        error = retry_asked_for(asked, now=self.process.get().core.clock.now())
        if asked.get("throw", True):
            raise error
        return error


def task_options(function: Function, process: ProcessParts[WorkerParts]) -> dict[str, Any]:
    """Return the options of the Celery task that runs a function in this process."""
    return {
        "base": TickerTask,
        "name": task_name(function.name),
        "shared": False,
        "bind": True,
        "ignore_result": True,
        "acks_late": False,
        "serializer": "json",
        "max_retries": None,
        "soft_time_limit": function.timeouts.soft,
        "time_limit": function.timeouts.kill_after,
        "ticker_function": function,
        "process": process,
    }


def drop_unaddressed(task: Any) -> NoReturn:
    """Be the body of a ticker's task for messages that name no ticker, as ``send_task`` makes them."""
    logger.warning("dropped a message of %s that names no ticker", task.name)
    raise Dropped(DropReason.UNADDRESSED)
