"""How many runs of one function are published to a queue ahead of its workers: a window that adapts."""

import math
from dataclasses import dataclass

# In seconds: what lies in a window is started within that time, about.
_HORIZON = 0.3
# In seconds. While runs wait, the window is polled so often; soon again where it may be too small.
POLL_EVERY = 0.15
POLL_SOON = 0.05
# What is left of it at a poll: less than that, and than its workers take, and they may have lacked a message.
_LITTLE = 0.25
_SHRINKING = 0.8
# Starts in a shorter time say little of how many there are in a second.
_SHORTEST = POLL_EVERY / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishWindow:
    """A window of so many runs, of which so many were ``ahead`` of their start at that monotonic moment."""

    size: int
    ahead: int
    polled_at: float

    def is_short(self, ahead: int, *, least: int) -> bool:
        """Return True if so few are left in it that workers, which take ``least``, may have lacked one."""
        return ahead < min(self.size * _LITTLE, least)

    def after(self, *, ahead: int, at: float, least: int, most: int) -> "PublishWindow":
        """Return the window for runs that wait, when so many are left of those that were ahead.

        It is what workers start in 0.3 s, and twice as large wherever they may have lacked a run; it
        shrinks slowly.
        """
        seconds = at - self.polled_at
        wanted = self._wanted(ahead, seconds)
        if self.is_short(ahead, least=least):
            size = max(2 * self.size, wanted)
        elif seconds >= _SHORTEST:
            size = max(wanted, math.floor(self.size * _SHRINKING))
        else:
            size = max(wanted, self.size)
        return PublishWindow(size=max(least, min(size, most)), ahead=ahead, polled_at=at)

    def _wanted(self, ahead: int, seconds: float) -> int:
        started = max(0, self.ahead - ahead)
        return round(started / seconds * _HORIZON) if seconds > 0 else 0
