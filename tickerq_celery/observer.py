"""Tell the dead from the slow: a node is dead when its counter stood still for one lease."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from tickerq_celery.store.nodes import Node


@dataclass(frozen=True, slots=True)
class _Sight:
    counter: int
    since: float


class Observer:
    """Compares no clocks: it measures with its own monotonic time how long a counter has not moved."""

    def __init__(self, lease: timedelta) -> None:
        self._lease_seconds = lease.total_seconds()
        self._sights: dict[UUID, _Sight] = {}

    def dead_among(self, nodes: Iterable[Node], *, monotonic: float) -> list[Node]:
        """Return the nodes seen without a new heartbeat for one lease or more."""
        sights: dict[UUID, _Sight] = {}
        dead = []
        for node in nodes:
            known = self._sights.get(node.id)
            if known is None or known.counter != node.counter:
                known = _Sight(node.counter, monotonic)
            elif monotonic - known.since >= self._lease_seconds:
                dead.append(node)
            sights[node.id] = known
        self._sights = sights
        return dead


class Patience:
    """Names what was seen in every look for one lease, by its own monotonic time."""

    def __init__(self, lease: timedelta) -> None:
        self._lease_seconds = lease.total_seconds()
        self._since: dict[UUID, float] = {}

    def lasting(self, seen: Iterable[UUID], *, monotonic: float) -> list[UUID]:
        """Return those of ``seen`` that were seen without a break for one lease or more."""
        self._since = {each: self._since.get(each, monotonic) for each in seen}
        return [each for each, since in self._since.items() if monotonic - since >= self._lease_seconds]
