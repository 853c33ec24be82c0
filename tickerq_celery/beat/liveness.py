"""Tell the dead from the slow: a node is dead when its counter stood still for one lease."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from tickerq_celery.store.nodes import Node


class _WatchedTime:
    """Seconds that pass only while the observer looks: what it could not see is nobody's silence.

    A gap of more than a third of a lease means that the observer was stopped, or the database away. It counts
    for a tenth of a lease, and not for nothing: one that always looks rarely must find the dead, too. A gap
    of less counts in full: with a heartbeat's interval before it, and a pause after it, a lease is not over.
    """

    def __init__(self, lease: timedelta) -> None:
        self._lease_seconds = lease.total_seconds()
        self._looked_at: float | None = None
        self._watched = 0.0

    def look(self, monotonic: float) -> float:
        """Return the seconds watched so far, up to this look."""
        gap = 0.0 if self._looked_at is None else monotonic - self._looked_at
        self._looked_at = monotonic
        self._watched += gap if gap <= self._lease_seconds / 3 else self._lease_seconds / 10
        return self._watched


@dataclass(frozen=True, slots=True)
class _Sight:
    # No node ever comes back to a number, not even one that registers anew.
    counter: int
    since: float


class Observer:
    """Compares no clocks: it measures with its own monotonic time how long it saw a counter stand still."""

    def __init__(self, lease: timedelta) -> None:
        self._lease_seconds = lease.total_seconds()
        self._time = _WatchedTime(lease)
        self._sights: dict[UUID, _Sight] = {}

    def dead_among(self, nodes: Iterable[Node], *, monotonic: float) -> list[Node]:
        """Return the nodes that were watched for one lease or more without a new heartbeat."""
        now = self._time.look(monotonic)
        sights: dict[UUID, _Sight] = {}
        dead = []
        for node in nodes:
            known = self._sights.get(node.id)
            if known is None or known.counter != node.counter:
                known = _Sight(node.counter, now)
            elif now - known.since >= self._lease_seconds:
                dead.append(node)
            sights[node.id] = known
        self._sights = sights
        return dead


class Patience:
    """Names what was seen in every look for one lease, by its own monotonic time."""

    def __init__(self, lease: timedelta) -> None:
        self._lease_seconds = lease.total_seconds()
        self._time = _WatchedTime(lease)
        self._since: dict[UUID, float] = {}

    def lasting(self, seen: Iterable[UUID], *, monotonic: float) -> list[UUID]:
        """Return those of ``seen`` that were seen without a break for one lease or more."""
        now = self._time.look(monotonic)
        self._since = {each: self._since.get(each, now) for each in seen}
        return [each for each, since in self._since.items() if now - since >= self._lease_seconds]
