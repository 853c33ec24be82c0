"""Which nodes are dead: those whose counter has not changed for one lease of observed time."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from tickerq_celery.store.nodes.nodes import Node


class _ObservedTime:
    """Observed time: a gap in which the observer itself was stalled counts as a tenth of a lease.

    A gap of more than a third of a lease means that the observer was stalled, or the database unreachable.
    It does not count for nothing: an observer that is always slow must find the dead, too. A shorter gap
    counts in full: with a heartbeat's interval before it, and a pause after it, a lease is not over.
    """

    def __init__(self, lease: timedelta) -> None:
        self._lease_seconds = lease.total_seconds()
        self._observed_at: float | None = None
        self._observed = 0.0

    def observe(self, monotonic: float) -> float:
        """Return the seconds observed so far, up to this observation."""
        gap = 0.0 if self._observed_at is None else monotonic - self._observed_at
        self._observed_at = monotonic
        self._observed += gap if gap <= self._lease_seconds / 3 else self._lease_seconds / 10
        return self._observed


@dataclass(frozen=True, slots=True)
class _Sight:
    # No node ever comes back to a number, not even one that registers anew.
    counter: int
    since: float


class LivenessObserver:
    """Finds dead nodes by its own monotonic time and their counters; it compares no clocks."""

    def __init__(self, lease: timedelta) -> None:
        self._lease_seconds = lease.total_seconds()
        self._time = _ObservedTime(lease)
        self._sights: dict[UUID, _Sight] = {}

    def dead_among(self, nodes: Iterable[Node], *, monotonic: float) -> list[Node]:
        """Return the nodes that were observed for one lease or more without a new heartbeat."""
        now = self._time.observe(monotonic)
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


class LeaseFilter:
    """Passes on the ids that were seen in every observation for one lease, by its own monotonic time."""

    def __init__(self, lease: timedelta) -> None:
        self._lease_seconds = lease.total_seconds()
        self._time = _ObservedTime(lease)
        self._since: dict[UUID, float] = {}

    def lasting(self, seen: Iterable[UUID], *, monotonic: float) -> list[UUID]:
        """Return those of ``seen`` that were seen without a break for one lease or more."""
        now = self._time.observe(monotonic)
        self._since = {each: self._since.get(each, now) for each in seen}
        return [each for each, since in self._since.items() if now - since >= self._lease_seconds]
