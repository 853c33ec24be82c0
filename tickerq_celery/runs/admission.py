"""Which due runs may be claimed now, and what holds the others."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from tickerq_celery.enums import HoldReason
from tickerq_celery.functions.limits import FunctionLimits
from tickerq_celery.store.runs.concurrency import queue_key
from tickerq_celery.store.runs.holds import Hold
from tickerq_celery.tickers.claims import Due, Slot
from tickerq_celery.tickers.flows import FunctionQueue


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """The due runs to claim, those to hold, each with its cause, and those left due for want of capacity."""

    admitted: Sequence[Due]
    held: Mapping[UUID, Hold]
    left: Sequence[Due]


@dataclass(slots=True, kw_only=True)
class Capacity:
    """What the store holds against new claims: counts of active runs by function, by slot and by queue.

    ``functions`` maps each function that a live worker has to its limits, ``left`` those with a rate to how
    many of their runs may be claimed now. A function that another claim counts just now is
    ``counted_elsewhere``: it has no slot for this one. ``windows`` says of functions in queues how many of
    their runs may be ``ahead`` of their start.
    """

    functions: Mapping[str, FunctionLimits]
    most_queued: int
    paused_crons: Collection[UUID] = ()
    counted_elsewhere: Collection[str] = ()
    # Runs that a pause of their function, their tag or everything holds, each with its key.
    paused: Mapping[UUID, str] = field(default_factory=dict)
    active: dict[str, int] = field(default_factory=dict)
    taken: dict[Slot, int] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)
    queued: dict[str | None, int] = field(default_factory=dict)
    windows: Mapping[FunctionQueue, int] = field(default_factory=dict)
    ahead: dict[FunctionQueue, int] = field(default_factory=dict)

    def admit(self, due: Sequence[Due]) -> Admission:
        """Decide on due runs by their priority, then the oldest first, counting those admitted."""
        admitted: list[Due] = []
        held: dict[UUID, Hold] = {}
        left: list[Due] = []
        for run in sorted(due, key=lambda each: (each.priority, each.id)):
            cause = self._cause(run)
            if cause is not None:
                held[run.id] = cause
            elif self._has_full_window(run):
                left.append(run)
            elif self.queued.get(run.queue, 0) >= self.most_queued:
                held[run.id] = Hold(reason=HoldReason.LIMIT, key=queue_key(run.queue))
            else:
                admitted.append(run)
                self._count(run)
        return Admission(admitted=admitted, held=held, left=left)

    def _has_full_window(self, run: Due) -> bool:
        # Of a Celery task's call it is not known how many are ahead.
        flow = FunctionQueue(run.function, run.queue)
        return run.call is None and flow in self.windows and self.ahead.get(flow, 0) >= self.windows[flow]

    def _count(self, run: Due) -> None:
        self.queued[run.queue] = self.queued.get(run.queue, 0) + 1
        if run.call is not None:
            return
        flow = FunctionQueue(run.function, run.queue)
        self.ahead[flow] = self.ahead.get(flow, 0) + 1
        self.active[run.function] = self.active.get(run.function, 0) + 1
        if run.slot is not None:
            self.taken[run.slot] = self.taken.get(run.slot, 0) + 1
        if run.function in self.left:
            self.left[run.function] -= 1

    def _cause(self, run: Due) -> Hold | None:
        if run.cron_ticker_id in self.paused_crons and run.instant is not None:
            return Hold(reason=HoldReason.PAUSED, key=str(run.cron_ticker_id))
        if run.id in self.paused:
            return Hold(reason=HoldReason.PAUSED, key=self.paused[run.id])
        # Which worker has a task of Celery's own, and how many of its runs are active, is not known here.
        if run.call is None:
            limits = self.functions.get(run.function)
            if limits is None:
                return Hold(reason=HoldReason.FUNCTION, key=run.function)
            limit = self._limit_reached(run, limits)
            if limit is not None:
                return limit
        return None

    def _limit_reached(self, run: Due, limits: FunctionLimits) -> Hold | None:
        is_elsewhere = run.function in self.counted_elsewhere
        most = limits.max_concurrency
        if most is not None and (is_elsewhere or self.active.get(run.function, 0) >= most):
            return Hold(reason=HoldReason.LIMIT, key=run.function)
        most = limits.max_concurrency_per_key
        if (
            run.slot is not None
            and most is not None
            and (is_elsewhere or self.taken.get(run.slot, 0) >= most)
        ):
            return Hold(reason=HoldReason.KEY, key=run.slot.hold_key)
        if limits.rate is not None and (is_elsewhere or self.left.get(run.function, 0) <= 0):
            return Hold(reason=HoldReason.RATE, key=run.function)
        return None
