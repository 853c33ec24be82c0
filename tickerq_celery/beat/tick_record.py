"""What a beat says of its own work with each heartbeat: its last complete tick, its claims, its pruning.

And what the broker does instead of taking what it publishes.
"""

from dataclasses import dataclass

from tickerq_celery.errors import PublishError
from tickerq_celery.runtime.memory import memory_held
from tickerq_celery.store.nodes.vitals import BrokerRefusal, Vitals
from tickerq_celery.validation import storable

_LONGEST_REFUSAL = 300
# What the broker's address is, and why it does not answer, is for the log.
_UNREACHABLE = "been unreachable"


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
        self._refusal: BrokerRefusal | None = None

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
        if self._refusal is not None and self._refusal.words == _UNREACHABLE:
            # Each tick begins with a connection.
            self._refusal = None

    def refused(self, error: PublishError, monotonic: float) -> bool:
        """Note that the broker did not take what was published; return whether this is news."""
        words = storable(error.refusal or _UNREACHABLE, _LONGEST_REFUSAL)
        before = self._refusal
        since = monotonic if before is None else before.since
        self._refusal = BrokerRefusal(words=words, since=since, last=monotonic)
        return before is None or before.words != words

    def end_refusal(self) -> bool:
        """Note that the broker takes messages, or is not what ticks fail of; return whether this is news."""
        before, self._refusal = self._refusal, None
        return before is not None

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
            refusal=self._refusal,
        )
