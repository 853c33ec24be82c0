"""What a beat says of its own work with each heartbeat: its last complete tick, and its claims."""

from tickerq_celery.runtime.memory import memory_held
from tickerq_celery.store.nodes import Vitals


class TickRecord:
    """Notes complete ticks, in which nothing failed; the counts are of this process.

    Beat's loop is one thread. Hence a tick that hangs ends the heartbeats, too, and the beat is silent; but
    one that fails, as the broker is unreachable or no cron ticker can be fired, leaves it alive, with a last
    complete tick that grows old.
    """

    def __init__(self) -> None:
        self._ticked: float | None = None
        self._claimed = 0
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

    def vitals(self) -> Vitals:
        """Return what the next heartbeat says."""
        return Vitals(memory=memory_held(), ticked=self._ticked, claimed=self._claimed)
