"""What became of claims that were handed to the broker."""

from collections.abc import Sequence
from dataclasses import dataclass

from tickerq_celery.errors import PublishError
from tickerq_celery.tickers.claims import Claim


class UnsentCallError(Exception):
    """A task's own ``apply_async`` sent no message: ``error`` is what it raised.

    Without one it returned something else, such as the result of an equal call that is waiting already.
    """

    def __init__(self, reason: str, error: Exception | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.error = error


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedClaim:
    """A claim that no broker will ever take as it is, and why."""

    claim: Claim
    error: Exception


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """Each claim stands in one of three: ``taken`` by the broker, ``refused``, or ``left``.

    Those ``left`` were not sent, or no answer says that they arrived; ``failure`` is why.
    """

    taken: Sequence[Claim] = ()
    refused: Sequence[RefusedClaim] = ()
    left: Sequence[Claim] = ()
    failure: PublishError | None = None
