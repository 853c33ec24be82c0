"""What the life of a run asks of a broker."""

from typing import Protocol

from tickerq_celery.enums import TickerStatus
from tickerq_celery.tickers.claims import Claim, Started


class Publisher(Protocol):
    """Hands messages to the broker; each method raises PublishError where the broker did not take one."""

    def connect(self) -> None:
        """Reach the broker."""

    def publish(self, claim: Claim) -> None:
        """Send one claim's message."""

    def publish_lost(self, run: Started, message: str, *, status: TickerStatus) -> None:
        """Ask a worker to call the user's exception handler for an attempt that was lost.

        ``status`` is what its run got: Idle where another attempt follows, else Failed or Cancelled.
        """

    def publish_cancel(self, run: Started, *, terminate: bool) -> None:
        """Notify the workers that a cancel of a run was requested, for the one that executes it."""

    def close(self) -> None:
        """Let go of the connection; the next use opens another."""
