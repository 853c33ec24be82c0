"""What a worker's main process makes of a ticker's message, and of its end in the pool."""

from typing import Any

from billiard.einfo import ExceptionInfo
from billiard.exceptions import TimeLimitExceeded, WorkerLostError
from celery.exceptions import Ignore
from celery.utils.dispatch import Signal
from celery.worker.request import Request

from tickerq_celery.tickers.drop_reasons import DropReason
from tickerq_celery.tickers.timeouts import backstop

message_dropped = Signal(name="tickerq_message_dropped", providing_args=["reason", "owner"])


class Dropped(Ignore):
    """Raised by a task that drops its message: Ignore to Celery, and a reason to the main process.

    ``owner`` is the namespace of the run where that is another one than the worker's.
    """

    def __init__(self, reason: DropReason, owner: str | None = None) -> None:
        super().__init__(reason, owner)
        self.reason = reason
        self.owner = owner


class TickerRequest(Request):
    """A request that sends ``message_dropped`` in its process when its message was dropped.

    Celery's own timers are for a child that hangs in the start or the end of its attempt; see ``BodyLimits``.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        task: Any = self.task
        parts = task.process.get()
        self._killed: dict[str, float] = parts.killed_for_time
        lease = parts.core.config.lease
        # The start may wait for the store as long as the end does, and Celery measures from before it.
        hard = backstop(self.time_limits[0] or backstop(task.time_limit, lease), lease)
        # Without a soft one of its own the task's would count, from the moment of its acceptance.
        self.time_limits = (hard, hard)

    def on_failure(self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False) -> Any:
        # Billiard unwraps it only where it comes from another process.
        error = getattr(exc_info.exception, "exc", exc_info.exception)
        if isinstance(error, Dropped):
            message_dropped.send(sender=self, reason=error.reason, owner=error.owner)
        hard = self._killed.pop(self.id, None) if isinstance(error, WorkerLostError) else None
        if hard is not None:
            exc_info = _time_limit_exceeded(hard)
        return super().on_failure(exc_info, send_failed_event=send_failed_event, return_ok=return_ok)


def _time_limit_exceeded(hard: float) -> Any:
    try:
        raise TimeLimitExceeded(hard)
    except TimeLimitExceeded:
        return ExceptionInfo()
