"""What diagnosis asks outside of the store: the broker, and Celery's router."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerState:
    """The broker at one moment: its address without a password, and an ``error`` where it cannot be used."""

    address: str
    error: str | None


class Surroundings(Protocol):
    """What rooms that do not import Celery ask of it; wiring supplies the implementation."""

    def broker_state(self) -> BrokerState:
        """Return what the broker answers now, or a few seconds ago; it never takes longer than 5 s."""

    def broker_address(self) -> str | None:
        """Return where the broker is, in the form of node rows; None where there is no such transport."""

    def queue_of(self, function: str, queue: str | None) -> str | None:
        """Return the queue of a function's messages, or None where a route names an exchange only.

        ``queue`` is the run's own, None where Celery's router decides.

        Raises:
            Exception: What a router of the user's raises.
        """
