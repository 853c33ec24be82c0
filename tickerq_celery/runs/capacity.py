"""How many runs may start now: limits of live workers' functions, less what is active."""

from collections.abc import Callable, Collection, Mapping, Sequence, Set
from dataclasses import dataclass

from tickerq_celery.functions.limits import FunctionLimits
from tickerq_celery.runs.admission import Capacity
from tickerq_celery.runtime.core import Core
from tickerq_celery.store.cron import cron_tickers, pauses
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.functions import functions
from tickerq_celery.store.nodes import nodes
from tickerq_celery.store.runs import capacity, concurrency, rates
from tickerq_celery.store.runs.capacity import Deciding
from tickerq_celery.tickers.claims import Due, Slot
from tickerq_celery.tickers.flows import FunctionQueue


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """The runs to decide on: those due, and the next of those that waited for a rate."""

    runs: Sequence[Due]
    capacity: Capacity


def count(
    core: Core,
    tx: Transaction,
    due: Sequence[Due],
    *,
    known: Mapping[str, FunctionLimits],
    deciding: Deciding,
    windows: Callable[[Collection[FunctionQueue]], Mapping[FunctionQueue, int]],
) -> Counted:
    """Lock the functions that have limits, and count active runs; those that waited for a rate may follow.

    ``windows`` returns how many runs of each function in a queue may be ahead of their start.
    In a fixed number of statements, none for runs without limits, whatever the number of runs and keys; but
    for one for each function whose rate is ready.
    """
    limited = {run.function for run in due if _is_limited(known, run)}
    counting = functions.lock(tx, limited | deciding.ready)
    runs = list(due)
    for name in sorted(deciding.ready - counting.elsewhere - counting.too_early):
        rate = known[name].rate if name in known else None
        most = core.config.batch_size if rate is None else rate.size
        runs += rates.lock_waiting(tx, name, limit=most)
    if len(runs) > len(due):
        # Of other queues and cron tickers, maybe.
        deciding = capacity.read(tx, runs, ready_among=(), lease=core.config.lease)
    found = _capacity(core, tx, runs, known=known, counting=counting, deciding=deciding)
    found.windows = windows({FunctionQueue(run.function, run.queue) for run in runs})
    return Counted(runs=runs, capacity=found)


def _is_limited(known: Mapping[str, FunctionLimits], run: Due) -> bool:
    # A task of Celery's own may have the name of a function.
    if run.call is not None or run.function not in known:
        return False
    return known[run.function].bounds(run.concurrency_key)


def _capacity(
    core: Core,
    tx: Transaction,
    runs: Sequence[Due],
    *,
    known: Mapping[str, FunctionLimits],
    counting: functions.Counting,
    deciding: Deciding,
) -> Capacity:
    limits = {run.function: known[run.function] for run in runs if run.call is None and run.function in known}
    active: dict[str, int] = {}
    bounded = sorted(name for name, each in limits.items() if each.max_concurrency is not None)
    if bounded:
        active = concurrency.active_per_function(tx, bounded)
    per_key = {name for name, each in limits.items() if each.max_concurrency_per_key is not None}
    slots = {slot for run in runs if (slot := run.slot) is not None and slot.function in per_key}
    taken: dict[Slot, int] = {}
    if slots:
        taken = concurrency.active_per_slot(tx, slots)
    crons = {run.cron_ticker_id for run in runs if run.cron_ticker_id is not None}
    return Capacity(
        functions=known,
        most_queued=core.config.max_queued,
        paused_crons=cron_tickers.paused_among(tx, crons) if deciding.has_paused_crons else (),
        paused=pauses.holding(tx, runs) if deciding.has_pauses else {},
        # A function whose slots another claim counts just now has none for this one: the sweep releases it.
        counted_elsewhere=counting.elsewhere,
        active=active,
        taken=taken,
        left={
            name: 0 if name in counting.too_early else each.rate.size
            for name, each in limits.items()
            if each.rate is not None
        },
        queued=dict(deciding.queued),
        ahead=dict(deciding.ahead),
    )


class KnownFunctions:
    """The functions that live workers have; what was read of a set of functions stays true."""

    def __init__(self) -> None:
        # A hash stands for one set of functions for ever, so what it means is read once.
        self._sets: dict[str, dict[str, FunctionLimits]] = {}

    def of(self, tx: Transaction, hashes: Set[str]) -> Mapping[str, FunctionLimits]:
        """Return the functions of workers, given the hashes of their sets; new ones are read.

        Where workers differ, as in a rolling deployment, the strictest limits count.
        """
        missing = hashes - self._sets.keys()
        if missing:
            self._sets |= nodes.function_sets(tx, missing)
        known: dict[str, FunctionLimits] = {}
        for each in hashes & self._sets.keys():
            for name, limits in self._sets[each].items():
                known[name] = limits.stricter(known[name]) if name in known else limits
        return known
