"""Errors of the services that this package uses: the store and the broker."""

from typing import Any

from tickerq_celery.errors.ticker_error import TickerError


class StoreError(TickerError):
    """The database cannot be reached, or keeps refusing a transaction."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the store did not answer: {reason}")
        self.reason = reason


class StoreTimeoutError(StoreError):
    """The database gave no answer in the ``seconds`` for which the caller waits."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"no answer in {seconds:g} s")
        self.seconds = seconds


class StoreUnreachableError(StoreError):
    """There is no connection to the database: none could be made, or it was lost."""


class QueryTooWideError(StoreError):
    """A read took longer than the ``seconds`` that it has: its filters are wide, or a lock is in its way."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"reading took longer than {seconds:.3g} s: narrow its filters, unless tables are locked or "
            "other reads took its time"
        )
        self.args: tuple[Any, ...] = (self.reason,)
        self.seconds = seconds


class PublishError(TickerError):
    """The broker did not take a message.

    ``refusal`` says what it did instead, after "the broker has": "refused messages", with its own words, or
    "confirmed no message within 5 s". It is None where the broker could not be reached.
    """

    def __init__(self, reason: str, *, refusal: str | None = None) -> None:
        super().__init__(f"the broker did not take the message: {reason}")
        self.reason = reason
        self.refusal = refusal
