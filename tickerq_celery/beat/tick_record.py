"""What a beat says of its own work with each heartbeat: its last complete tick, its claims, its pruning."""

from dataclasses import dataclass

from tickerq_celery.runtime.memory import memory_held
from tickerq_celery.store.nodes.vitals import Vitals


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rounds:
    """The rounds of pruning: the monotonic end of the last one, and how many rows all have deleted."""

    ended: float | None = None
    deleted: int | None = None


class TickRecord:
    """Notes complete ticks, in which nothing failed, and rounds of pruning; the counts are of this process.

    Beat's loop is one thread. Hence a tick that hangs ends the heartbeats, too, and the beat is silent; but
    one that fails, as the broker is unreachable or no cron ticker can be fired, leaves it alive, with a last
    complete tick that grows old.
    """

    def __init__(self) -> None:
        self._ticked: float | None = None
        self._claimed = 0
        # Maintenance, a thread of its own, replaces it whole.
        self._rounds = _Rounds()
        self._has_failed = False

    def begin(self) -> None:
        """Note that a tick begins."""
        self._has_failed = False

    def fail(self) -> None:
        """Note that a part of the tick failed, though the tick goes on."""
        self._has_failed = True

    def complete(self, monotonic: float) -> None:
        """Note that the tick has ended at this monotonic moment."""
        if not self._has_failed:
            self._ticked = monotonic

    def claimed(self, count: int) -> None:
        """Note that so many runs were claimed."""
        self._claimed += count

    def pruned(self, count: int, monotonic: float) -> None:
        """Note that a round of pruning has ended at this monotonic moment, and deleted so many rows."""
        self._rounds = _Rounds(ended=monotonic, deleted=(self._rounds.deleted or 0) + count)

    def vitals(self) -> Vitals:
        """Return what the next heartbeat says."""
        rounds = self._rounds
        return Vitals(
            memory=memory_held(),
            ticked=self._ticked,
            claimed=self._claimed,
            round_ended=rounds.ended,
            pruned=rounds.deleted,
        )
