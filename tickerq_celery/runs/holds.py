"""Release the holds whose cause is gone: the sweep's part of what a claim held."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from tickerq_celery.enums import HoldReason
from tickerq_celery.functions.limits import FunctionLimits
from tickerq_celery.runtime.core import Core
from tickerq_celery.store.cron import pauses
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.runs import concurrency, holds
from tickerq_celery.tickers.claims import slot_held_under


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """How many holds one transaction released; ``is_full`` says that there may be more to release."""

    count: int
    is_full: bool


class HoldRelease:
    """Makes held runs due again, with bounded work in each pass."""

    def __init__(self, core: Core) -> None:
        self._core = core
        # Where the last pass over the concurrency keys came to.
        self._after_key = ""

    def release(self, tx: Transaction, known: Mapping[str, FunctionLimits]) -> Released:
        """Make runs due whose hold's cause is gone, up to a batch for each cause."""
        if not holds.has_any(tx):
            return Released(count=0, is_full=False)
        config, most = self._core.config, self._core.config.batch_size
        waiting = holds.held_keys(tx, HoldReason.FUNCTION)
        paced = holds.held_keys(tx, HoldReason.RATE)
        without_rate = [name for name in paced if name in known and known[name].rate is None]
        free = self._free_slots(tx, known)
        unlimited = [name for name in free if known[name].max_concurrency is None]
        batches = [
            self._release(tx, HoldReason.FUNCTION, [name for name in waiting if name in known], most),
            self._release(tx, HoldReason.PAUSED, self._resumed(tx), most),
            self._release(tx, HoldReason.LIMIT, unlimited, most),
            self._release(tx, HoldReason.RATE, without_rate, most),
            # No more than the next claim takes: what is released and not claimed yet is not counted, so
            # the next pass would release as much once more.
            concurrency.release_full_queues(tx, most=config.max_queued, limit=most),
            *(
                self._release(tx, HoldReason.LIMIT, [name], min(free[name], most))
                for name in free.keys() - set(unlimited)
            ),
        ]
        count = sum(batches) + self._release_keys(tx, known)
        return Released(count=count, is_full=max(batches) >= most)

    def _release(self, tx: Transaction, reason: HoldReason, keys: Collection[str], limit: int) -> int:
        released = holds.release(
            tx,
            reason=reason,
            keys=keys,
            limit=limit,
        )
        return len(released)

    def _resumed(self, tx: Transaction) -> list[str]:
        # A claim that saw the pause may write its hold just after the resumption released them all.
        waiting = holds.held_keys(tx, HoldReason.PAUSED)
        paused = pauses.keys(tx, waiting)
        return [key for key in waiting if key not in paused]

    def _free_slots(self, tx: Transaction, known: Mapping[str, FunctionLimits]) -> dict[str, int]:
        waiting = holds.held_keys(tx, HoldReason.LIMIT)
        names = [name for name in waiting if name in known]
        if not names:
            return {}
        active = concurrency.active_per_function(tx, names)
        free = {name: self._left(known[name].max_concurrency, active[name]) for name in names}
        return {name: slots for name, slots in free.items() if slots > 0}

    def _left(self, most: int | None, active: int) -> int:
        """Return how many may be released; where the limit is gone, all that are held, a batch at a time."""
        return self._core.config.batch_size if most is None else most - active

    def _release_keys(self, tx: Transaction, known: Mapping[str, FunctionLimits]) -> int:
        """Release for a batch of keys: those after it come in the next passes."""
        most = self._core.config.batch_size
        keys = holds.next_held_keys(tx, HoldReason.KEY, after=self._after_key, limit=most)
        self._after_key = keys[-1] if len(keys) == most else ""
        slots = [slot for slot in map(slot_held_under, keys) if slot.function in known]
        if not slots:
            return 0
        taken = concurrency.active_per_slot(tx, slots)
        free = {slot: self._left(known[slot.function].max_concurrency_per_key, taken[slot]) for slot in slots}
        return concurrency.release_slots(tx, free)
