"""When a beat sweeps: eight times in the shorter of the times after which something is looked at again."""

import random
from datetime import timedelta

# So many sweeps happen in the time after which an unpublished claim, or an inactive node, is looked at again.
# With the default settings two sweeps are at most 10 / 8 * 1.25 = 1.6 s apart. Hence the batch of a killed
# beat is published 10 + 1.6 = 11.6 s after its claim at the latest. And a dead worker is found after
# 1.6 (its last heartbeat is seen) + 30 (the lease) + 1.6 = 33.2 s at the latest.
_SWEEPS = 8
_SHORTEST = timedelta(seconds=0.1)
# Several beats should not sweep in step.
_JITTER = 0.25


class SweepTimes:
    """The monotonic moment of the next sweep; the first is at once."""

    def __init__(self, *, publish_check: timedelta, heartbeat: timedelta) -> None:
        self._every = max(min(publish_check, heartbeat) / _SWEEPS, _SHORTEST).total_seconds()
        self._next_at = 0.0

    def seconds_left(self, now: float) -> float:
        """Return in how many seconds to sweep: none or less where it is time."""
        return self._next_at - now

    def begin(self, now: float) -> None:
        """Note that a sweep begins."""
        self._next_at = now + self._every * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311 - not a secret

    def go_on(self, now: float) -> None:
        """Let the next sweep be at once, as the last one left something to do."""
        self._next_at = now
