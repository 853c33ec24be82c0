"""What a beat and a worker do in a span of time, in this process and one run after the other."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from uuid import UUID

from tickerq_celery.beat.bulk_runner import BulkRunner
from tickerq_celery.beat.sweeper import CronUpkeep
from tickerq_celery.cron.firing import Firing
from tickerq_celery.errors import TickerError
from tickerq_celery.runs.claimer import Claimer
from tickerq_celery.runs.replaced import revoke
from tickerq_celery.runtime.core import Core
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.runs.next_due import NextDueQuery
from tickerq_celery.testing import statements
from tickerq_celery.testing.in_process import InProcessParts
from tickerq_celery.tickers.cron_rows import CronRow

MOST_RUNS = 10_000


class TooManyRunsError(TickerError):
    """More runs are due than a test can wait for: more than ``most``, most of them of ``what``."""

    def __init__(self, what: str, most: int) -> None:
        super().__init__(
            f"run_due would execute more than {most:,} runs, most of {what}: advance the clock by less"
        )
        self.what = what
        self.most = most


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pending:
    """What is left at one moment: when the next run or instant is due, and whether any run is held."""

    next_moment: datetime | None
    has_held: bool

    def is_due(self, now: datetime) -> bool:
        """Return True if something is due at ``now``."""
        return self.next_moment is not None and self.next_moment <= now


class InProcessBeat:
    """Fires, claims and executes with the engine's own parts.

    ``ended`` holds the runs of which an attempt was made, in the order of their last attempts' ends, each
    with the moment of that.
    """

    def __init__(self, parts: InProcessParts) -> None:
        self._parts = parts
        self._core: Core = parts.core
        self._claimer = Claimer(parts.core)
        self._firing = Firing(parts.core, partial(revoke, parts.box))
        self._upkeep = CronUpkeep(parts.core, parts.box)
        self._bulk = BulkRunner(parts.core, parts.box)
        self._moments = 0
        self._executed = 0
        self.ended: dict[UUID, datetime] = {}

    def run_until(self, until: datetime, *, set_clock: Callable[[datetime], None]) -> None:
        """Do all that falls due up to ``until``, each at its moment; ``set_clock`` moves the clock there.

        Raises:
            TooManyRunsError: More than 10,000 runs fall due.
        """
        # At once a beat that was down takes no more of them than misfire policies let it.
        if self._core.clock.now() < until:
            self._refuse_too_many(until)
        while True:
            pending = self._work()
            moment = pending.next_moment
            # What is due and is not taken now waits for something that no passing of time brings.
            if moment is None or moment > until or moment <= self._core.clock.now():
                return
            set_clock(moment)
            self._moments += 1
            self._refuse_more()

    def _work(self) -> _Pending:
        """Fire, do bulk jobs, claim and execute until nothing more is due at this moment."""
        core, idle_rounds = self._core, 0
        while True:
            while self._firing.fire():
                pass
            while not self._bulk.step():
                pass
            self._parts.dispatcher.dispatch(holder=core.node.name)
            executed = self._parts.box.execute(self._note_end)
            pending = self._read_pending()
            if pending.has_held and not pending.is_due(core.clock.now()):
                core.write(self._claimer.release_holds)
                self._upkeep.maintain()
                pending = self._read_pending()
            idle_rounds = 0 if executed else idle_rounds + 1
            # What is due and is not taken twice waits for something that asking again does not bring.
            if idle_rounds > 1 or not pending.is_due(core.clock.now()):
                return pending

    def _read_pending(self) -> _Pending:
        pending, retry_at = self._core.read(_stored_pending), self._parts.box.calls.next_due
        if retry_at is None or (pending.next_moment is not None and pending.next_moment <= retry_at):
            return pending
        return replace(pending, next_moment=retry_at)

    def _note_end(self, run_id: UUID) -> None:
        # Put last, where a former attempt has put it elsewhere.
        self.ended.pop(run_id, None)
        self.ended[run_id] = self._core.clock.now()
        self._executed += 1
        self._refuse_more()

    def _refuse_more(self) -> None:
        if max(self._executed, self._moments) > MOST_RUNS:
            raise TooManyRunsError(self._core.read(statements.most_frequent), MOST_RUNS)

    def _refuse_too_many(self, until: datetime) -> None:
        """Refuse a span before anything of it runs, where the timetables alone hold too much."""
        counts: dict[str, int] = {}
        for cron in self._core.read(statements.crons_due, until):
            counts[statements.name_of(cron)] = _instants(cron, until)
            if sum(counts.values()) > MOST_RUNS:
                raise TooManyRunsError(max(counts, key=counts.__getitem__), MOST_RUNS)


def _instants(cron: CronRow, until: datetime) -> int:
    """Return how many instants a cron ticker has up to a moment, counting no further than is of interest."""
    most = MOST_RUNS + 1 if cron.max_runs is None else cron.max_runs - cron.run_count
    timetable, instant, count = cron.timetable(), cron.next_run_at, 0
    while instant is not None and instant <= until and count < most:
        count += 1
        instant = timetable.next_after(instant)
    return count


def _stored_pending(tx: Transaction) -> _Pending:
    return _Pending(next_moment=NextDueQuery().read(tx).moment, has_held=statements.has_held(tx))
