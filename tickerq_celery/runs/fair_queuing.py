"""Whose runs a claim takes beside a backlog: now and then those of other flows, else the oldest."""

from collections.abc import Sequence

from tickerq_celery.clock import Clock
from tickerq_celery.tickers.claims import Due
from tickerq_celery.tickers.flows import Flows, crowding

# In seconds. A look at what lies behind a backlog reads all of it, of 100,000 runs in about 0.1 s.
_LOOK_EVERY = 0.2
# A look takes no more than this share of the time, however long the backlog is.
_LOOK_SHARE = 0.25


class FairQueuing:
    """Lets no flow's backlog delay the runs of another.

    Claims go by age. While they come full, every fifth of a second one is for the runs of flows that did not
    come round since the last look that found all of them.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        # What was claimed of a backlog last, and the flows that later looks passed over or have served.
        self._backlog = Flows()
        self._served = Flows()
        self._look_at = 0.0

    def passed_over(self, *, by_flow: bool) -> Flows | None:
        """Return the flows whose runs the next claim leaves out, None where it takes the oldest runs.

        Where it takes those ``by_flow``, no flow but of a cron ticker or key is in the way of others.
        """
        if not self._backlog or self._clock.monotonic() < self._look_at:
            return None
        found = self._backlog | self._served
        return None if by_flow and not (found.crons or found.slots) else found

    def took_oldest(self, due: Sequence[Due], *, is_full: bool) -> None:
        """Note the runs that a claim found by age."""
        self._backlog = crowding(due) if is_full else Flows()
        if not self._backlog:
            self._served = Flows()

    def took_others(self, due: Sequence[Due], *, is_full: bool, began: float) -> None:
        """Note the runs of other flows that a claim, which began at that monotonic moment, found."""
        now = self._clock.monotonic()
        self._look_at = now + max(_LOOK_EVERY, (now - began) / _LOOK_SHARE)
        # Full, it may have left out the runs of one more flow that waits.
        self._served = self._served | crowding(due) if is_full else Flows()
