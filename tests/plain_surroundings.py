"""What lies outside of the store, for tests without Celery: a broker that answers, and a plain router."""

from dataclasses import dataclass, field

from tickerq_celery.tickers.surroundings import BrokerState


@dataclass(slots=True)
class PlainSurroundings:
    """A run that names no queue goes to ``celery``, or to what ``routes`` says of its function."""

    error: str | None = None
    address: str | None = None
    routes: dict[str, str | Exception | None] = field(default_factory=dict)

    def broker_state(self) -> BrokerState:
        """Return that the broker answers, unless there is an ``error``."""
        return BrokerState(address="memory://", error=self.error)

    def broker_address(self) -> str | None:
        """Return the ``address``."""
        return self.address

    def queue_of(self, function: str, queue: str | None) -> str | None:
        """Return the run's own queue, else that of its function; raise what a broken router raises."""
        if queue is not None:
            return queue
        found = self.routes.get(function, "celery")
        if isinstance(found, Exception):
            raise found
        return found
