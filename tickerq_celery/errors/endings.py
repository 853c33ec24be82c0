"""Errors that are raised in the body of a function, and what each makes of its run."""

from tickerq_celery.enums import TickerStatusLike
from tickerq_celery.errors.ticker_error import TickerError


class ParentResultError(TickerError):
    """A child asked for its parent's result, which is no JSON or too large to be kept."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the parent's result was not stored: {reason}")
        self.reason = reason


class TerminateExecution(TickerError):  # noqa: N818 - TickerQ's name for it
    """Raised by a function to end its run at once, without retry and without the exception handler.

    The status is Skipped unless another terminal one is given; the text becomes the run's reason.
    """

    def __init__(self, message: object, status: TickerStatusLike | None = None) -> None:
        # Often an exception: whatever it is, its text is the reason.
        self.message: str = str(message)
        super().__init__(self.message)
        self.status = status


class TickerCancelled(TickerError):  # noqa: N818 - reads like asyncio's CancelledError
    """Raised in a function whose run was cancelled; the run ends as Cancelled and is not retried."""

    def __init__(self, message: str = "the run was cancelled") -> None:
        super().__init__(message)
