"""Report a message that the pool dropped to the worker's main process."""

from typing import Any

from celery.exceptions import Ignore
from celery.utils.dispatch import Signal
from celery.worker.request import Request

from tickerq_celery.enums import DropReason

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
    """A request that sends ``message_dropped`` in its process when its message was dropped."""

    def on_failure(self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False) -> Any:
        error = exc_info.exception
        # Billiard unwraps it only where it comes from another process.
        dropped = error if isinstance(error, Dropped) else getattr(error, "exc", None)
        if isinstance(dropped, Dropped):
            message_dropped.send(sender=self, reason=dropped.reason, owner=dropped.owner)
        return super().on_failure(exc_info, send_failed_event=send_failed_event, return_ok=return_ok)
