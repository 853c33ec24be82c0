"""What the life of a run asks of a broker."""

from collections.abc import Sequence
from typing import Protocol

from tickerq_celery.enums import TickerStatus
from tickerq_celery.tickers.claims import Claim, Started
from tickerq_celery.tickers.handover import Handover


class Publisher(Protocol):
    """Hands messages to the broker; each method but ``hand_over`` raises PublishError where it took none."""

    @property
    def most_at_once(self) -> int:
        """How many messages are handed over at once: a killed process may repeat all of them."""

    def connect(self) -> None:
        """Reach the broker."""

    def hand_over(self, claims: Sequence[Claim]) -> Handover:
        """Send the messages of claims in their order, in one batch where the broker's transport can."""

    def publish_lost(self, run: Started, message: str, *, status: TickerStatus) -> None:
        """Ask a worker to call the user's exception handler for an attempt that was lost.

        ``status`` is what its run got: Idle where another attempt follows, else Failed or Cancelled.
        """

    def publish_cancel(self, run: Started, *, terminate: bool) -> None:
        """Notify the workers that a cancel of a run was requested, for the one that executes it."""

    def close(self) -> None:
        """Let go of the connection; the next use opens another."""
