"""How often a run is retried, and the wait before each retry."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

DEFAULT_INTERVALS = (timedelta(seconds=30),)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often, and after what waits, a run may be retried.

    Semantics of TickerQ: ``limit`` counts extra attempts, the last interval repeats.
    """

    limit: int = 0
    intervals: Sequence[timedelta] = DEFAULT_INTERVALS

    def wait_before(self, retry: int) -> timedelta | None:
        """Return the wait before the nth retry (1 is the first), or None once they are used up."""
        if retry > self.limit:
            return None
        intervals = self.intervals or DEFAULT_INTERVALS
        return intervals[min(retry, len(intervals)) - 1]
