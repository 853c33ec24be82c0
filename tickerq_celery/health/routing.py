"""Which queue a run's messages go to, as the application's router says in this process."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from tickerq_celery.tickers.surroundings import Surroundings
from tickerq_celery.wording import cause_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where messages go: the ``queue``, None where it has no name, and why it cannot be found out."""

    queue: str | None = None
    error: str | None = None


# By function and the run's own queue.
Routes: TypeAlias = Mapping[tuple[str, str | None], Route]


def route_of(surroundings: Surroundings, function: str, queue: str | None) -> Route:
    """Return where the runs of a function go; ``queue`` is the run's own."""
    try:
        return Route(queue=surroundings.queue_of(function, queue))
    except Exception as error:  # noqa: BLE001 - the user's router
        return Route(error=cause_of(error))
