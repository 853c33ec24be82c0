"""Which due runs may be claimed now, and what holds the others."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from tickerq_celery.enums import HoldReason
from tickerq_celery.store.claims import Due
from tickerq_celery.store.holds import Hold
from tickerq_celery.store.sweeps import queue_key


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """The due runs to claim, and those to hold, each with its cause."""

    admitted: Sequence[Due]
    held: Mapping[UUID, Hold]


@dataclass(slots=True, kw_only=True)
class Capacity:
    """What the store says about room: counts of runs under way, by function and by queue.

    ``functions`` maps each function that a live worker has to its concurrency limit (0: none).
    """

    functions: Mapping[str, int]
    most_queued: int
    paused_crons: Collection[UUID] = ()
    # Runs that a pause of their function, their tag or everything holds, each with its key.
    paused: Mapping[UUID, str] = field(default_factory=dict)
    active: dict[str, int] = field(default_factory=dict)
    queued: dict[str | None, int] = field(default_factory=dict)

    def admit(self, due: Sequence[Due]) -> Admission:
        """Decide on due runs in their order, counting those admitted."""
        admitted: list[Due] = []
        held: dict[UUID, Hold] = {}
        for run in due:
            cause = self._cause(run)
            if cause is None:
                admitted.append(run)
                self.active[run.function] = self.active.get(run.function, 0) + 1
                self.queued[run.queue] = self.queued.get(run.queue, 0) + 1
            else:
                held[run.id] = cause
        return Admission(admitted=admitted, held=held)

    def _cause(self, run: Due) -> Hold | None:
        limit = self.functions.get(run.function)
        if limit is None:
            return Hold(reason=HoldReason.FUNCTION, key=run.function)
        if run.cron_ticker_id in self.paused_crons and run.instant is not None:
            return Hold(reason=HoldReason.PAUSED, key=str(run.cron_ticker_id))
        if run.id in self.paused:
            return Hold(reason=HoldReason.PAUSED, key=self.paused[run.id])
        if limit and self.active.get(run.function, 0) >= limit:
            return Hold(reason=HoldReason.LIMIT, key=run.function)
        if self.queued.get(run.queue, 0) >= self.most_queued:
            return Hold(reason=HoldReason.LIMIT, key=queue_key(run.queue))
        return None
