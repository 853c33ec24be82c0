"""The Celery task of a function: makes at most one recorded attempt of one message."""

import inspect
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from celery import Celery, Task
from celery.states import SUCCESS

from tickerq_celery.broker.messages import LOST_TASK, header_of, task_name
from tickerq_celery.deferred import Deferred
from tickerq_celery.functions.definition import Function
from tickerq_celery.tickers.drop_reasons import DropReason
from tickerq_celery.tickers.timeouts import TimeLimits
from tickerq_celery.worker.parts import ProcessParts, WorkerParts

if TYPE_CHECKING:
    from tickerq_celery.worker.attempt import RunningAttempt, start
    from tickerq_celery.worker.request import Dropped
    from tickerq_celery.worker.verdict import retry_asked_for

    _Task = Task[Any, Any]
else:
    start = Deferred("tickerq_celery.worker.attempt", "start")
    Dropped = Deferred("tickerq_celery.worker.request", "Dropped")
    retry_asked_for = Deferred("tickerq_celery.worker.verdict", "retry_asked_for")
    # Celery 5.6 cannot subscript it at run time.
    _Task = Task

logger = logging.getLogger(__name__)


class TickerTask(_Task):
    """Records an attempt around what the app's own task class makes of a function's body.

    It drops messages that name no ticker, or a stale claim, before that class sees them. What Celery gets to
    know: Retry for a failed attempt that has a retry left, the body's own exception after the last, Ignore
    for a message that is stale.
    """

    abstract = True
    Request = "tickerq_celery.worker.request:TickerRequest"
    ticker_function: Function
    process: ProcessParts[WorkerParts]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        request: Any = self.request
        header = header_of(request.headers)
        if header is None:
            # As `send_task` makes them.
            logger.warning("dropped a message of %s that names no ticker", self.name)
            raise Dropped(DropReason.UNADDRESSED)
        parts = self.process.get()
        limits = TimeLimits(soft=self.soft_time_limit, hard=self.time_limit)
        with parts.body_limits.attempt():
            request.attempt = start(parts, self.ticker_function, header)
            request.attempt.run(lambda: self._call_accepted(*args, **kwargs), limits)
        # Not what the function returned: Celery would write it into the worker's log.
        return None

    def _call_accepted(self, *args: Any, **kwargs: Any) -> Any:
        super().before_start(str(self.request.id), args, kwargs)
        return super().__call__(*args, **kwargs)

    def before_start(self, task_id: str, args: Any, kwargs: Any) -> None:
        """Do nothing: Celery calls it for stale messages, too; the app's own waits for the accepted start."""

    def on_success(self, retval: Any, task_id: str, args: Any, kwargs: Any) -> None:
        """Call the app's own with what the function returned."""
        super().on_success(_attempt_in(self).returned, task_id, args, kwargs)

    def after_return(
        self, status: str, retval: Any, task_id: str, args: Any, kwargs: Any, einfo: Any
    ) -> None:
        """Call the app's own with what the function returned or raised."""
        if status == SUCCESS:
            retval = _attempt_in(self).returned
        super().after_return(status, retval, task_id, args, kwargs, einfo)


class InnermostTask(_Task):
    """What the app's own task class reaches by ``super()``, in place of Celery's task."""

    abstract = True
    process: ProcessParts[WorkerParts]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        # Celery's own may push another request, which names no run, over the one that is executed.
        return self.run(*args, **kwargs)

    def retry(self, *args: Any, **kwargs: Any) -> Any:
        """Fail the attempt so that the store retries it; the arguments are Celery's.

        A ``countdown`` in seconds, or an ``eta``, overrides the retry interval, ``max_retries`` the ticker's
        ``retries``. With ``throw=False`` the exception is returned, and is to be raised.

        Raises:
            TickerValidationError: The wait is longer than 30 days, or no wait, or ``max_retries`` no number.
        """
        asked = inspect.signature(super().retry).bind(*args, **kwargs).arguments
        now = self.process.get().core.clock.now()
        if asked.get("throw", True):
            # Held by no local: its traceback holds this frame.
            raise retry_asked_for(asked, now=now)
        return retry_asked_for(asked, now=now)


def make_task(app: Celery, function: Function, process: ProcessParts[WorkerParts]) -> None:
    """Give an app the Celery task that runs a function; its class is made from the app's own."""
    base = type("TickerTask", (TickerTask, app.Task, InnermostTask), {"abstract": True})
    limits = function.timeouts.of_a_task
    options: dict[str, Any] = {
        **_OURS,
        "base": base,
        "name": task_name(function.name),
        "bind": True,
        "max_retries": None,
        "soft_time_limit": limits.soft,
        "time_limit": limits.hard,
        "ticker_function": function,
        "process": process,
    }
    app.task(**options)(run_body)


def make_lost_task(app: Celery, process: ProcessParts[WorkerParts]) -> None:
    """Give an app the Celery task that calls its exception handler for attempts that were lost."""

    def call_handler(*message: Any) -> None:
        """Call the user's exception handler for an attempt whose own process could not."""
        process.get().handler.lost(*message)

    options: dict[str, Any] = {**_OURS, "name": LOST_TASK}
    app.task(**options)(call_handler)


def run_body(task: Any) -> object:
    """Run the function's body: what a task class calls as ``self.run()``."""
    return _attempt_in(task).call_body()


def _attempt_in(task: Any) -> "RunningAttempt":
    return cast("RunningAttempt", task.request.attempt)


# The store decides on every attempt, whatever the app, or its own task class, says of tasks.
_OURS: Mapping[str, Any] = {
    "shared": False,
    "ignore_result": True,
    "serializer": "json",
    "acks_late": False,
    "autoretry_for": (),
    "reject_on_worker_lost": False,
    "retry_on_worker_lost": False,
}
