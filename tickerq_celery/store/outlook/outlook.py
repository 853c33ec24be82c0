"""Read what is to come: stored runs and computed instants, merged, within a limit and a time."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from uuid import UUID

from tickerq_celery.schedule.merging import Step, merge
from tickerq_celery.schedule.shared_instants import SharedInstants
from tickerq_celery.store.cron import pauses
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.outlook import rows as outlook_rows
from tickerq_celery.store.outlook.rows import Key
from tickerq_celery.store.reading.index_scans import EARLIEST
from tickerq_celery.tickers.outlook import Outlook
from tickerq_celery.tickers.outlook_steps import (
    Horizon,
    OutlookCron,
    Steps,
    item_of_run,
    item_of_skip,
    steps_of,
)
from tickerq_celery.tickers.pauses import covering

# Of what has no index for its moments, so many rows are looked at.
_MOST_LOOKED_AT = 2_000
_SHARE_OF_HELD = 0.5
_FIRST_PAGE, _GROWTH, _LARGEST_PAGE = 50, 4, 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked for; ``since`` None begins with what is due already, ``until`` None is ``ahead``."""

    since: datetime | None
    until: datetime | None
    ahead: timedelta
    limit: int
    function: str | None


def read(tx: Transaction, asked: Asked, *, spent: Callable[[], float]) -> Outlook:
    """Return an outlook; ``spent`` says which share of its time has passed, and is asked between steps."""
    horizon = Horizon(since=asked.since or EARLIEST, now=tx.now)
    until = asked.until or max(horizon.now, horizon.since) + asked.ahead
    reading = _Reading(tx, horizon, until, asked.function)
    skips = reading.skipped()
    # Their instants are all to be computed before the first item is known: they may take half of the time.
    held = list(reading.held(lambda: spent() > _SHARE_OF_HELD))
    merged = merge(
        [reading.runs(), skips, reading.planned(), *held],
        until=until,
        limit=asked.limit,
        is_over=lambda: spent() >= 1,
    )
    return Outlook(
        items=merged.items,
        since=asked.since,
        until=until,
        complete_until=merged.complete_until,
        truncated=merged.stopped_by,
        leaves_out_held=not reading.is_whole,
    )


class _Reading:
    """The sources of one outlook, each read in pages as far as it is wanted."""

    def __init__(self, tx: Transaction, horizon: Horizon, until: datetime, function: str | None) -> None:
        self.is_whole = True
        self._tx = tx
        self._horizon = horizon
        self._until = until
        self._function = function
        self._pauses = pauses.list_pauses(tx)
        # Read when something is overdue.
        self._functions: frozenset[str] | None = None
        self._taken: dict[UUID, set[datetime]] = {}
        self._shared = SharedInstants()

    def runs(self) -> Steps:
        """Yield the stored runs that are due; of those of other functions only how far it has come."""
        after: Key | None = None
        for size in _sizes():
            page = outlook_rows.waiting(
                self._tx, since=self._horizon.since, until=self._until, after=after, limit=size
            )
            for run in page:
                item = None
                if self._is_wanted(run.function):
                    pause = covering(self._pauses, run.function, run.tags)
                    item = item_of_run(run, pause, self._horizon.now, has_worker=self._has_worker)
                yield Step(run.due_at, item)
            if len(page) < size:
                return
            after = (page[-1].due_at, page[-1].id)

    def planned(self) -> Steps:
        """Yield the cron tickers that beat fires, each at its next instant, where its instants begin."""
        after: Key | None = None
        for size in _sizes():
            page = outlook_rows.planned(self._tx, until=self._until, after=after, limit=size)
            self._take_overdue([cron for cron in page if self._is_wanted(cron.function)])
            for cron in page:
                at = cron.next_run_at or self._horizon.now
                wanted = self._instants(cron) if self._is_wanted(cron.function) else None
                yield Step(max(at, self._horizon.since), opens=wanted)
                after = (at, cron.id)
            if len(page) < size:
                return

    def skipped(self) -> Steps:
        """Return the instants to come that were skipped, all read at once."""
        since = max(self._horizon.now, self._horizon.since)
        found, is_whole = outlook_rows.skipped(
            self._tx, since=since, until=self._until, limit=_MOST_LOOKED_AT
        )
        self.is_whole = is_whole
        for each in found:
            self._taken.setdefault(each.cron.id, set()).add(each.instant)
        wanted = [each for each in found if each.is_skipped and self._is_wanted(each.cron.function)]
        wanted.sort(key=lambda each: each.instant)
        return (Step(each.instant, item_of_skip(each)) for each in wanted)

    def held(self, is_over: Callable[[], bool]) -> Iterator[Steps]:
        """Yield the instants of each cron ticker that waits for the end of a pause, the first computed."""
        if not self._pauses:
            return
        found, is_whole = outlook_rows.without_next_run(self._tx, limit=_MOST_LOOKED_AT)
        self.is_whole = self.is_whole and is_whole
        for cron in found:
            if not self._is_wanted(cron.function):
                continue
            if is_over():
                self.is_whole = False
                return
            steps = self._instants(cron)
            first = next(steps, None)
            if first is not None:
                yield chain([first], steps)

    def _instants(self, cron: OutlookCron) -> Steps:
        pause = covering(self._pauses, cron.function, cron.tags)
        taken = self._taken.get(cron.id, ())
        return steps_of(cron, self._horizon, pause=pause, taken=taken, instants=self._shared)

    def _has_worker(self, function: str) -> bool:
        if self._functions is None:
            self._functions = outlook_rows.functions_of_workers(self._tx)
        return function in self._functions

    def _take_overdue(self, crons: Sequence[OutlookCron]) -> None:
        """Note which instants that have passed have their run, as a backfill may have made it."""
        now = self._horizon.now
        overdue = [cron for cron in crons if cron.next_run_at is not None and cron.next_run_at <= now]
        for cron_id, instant in outlook_rows.taken(self._tx, overdue):
            self._taken.setdefault(cron_id, set()).add(instant)

    def _is_wanted(self, function: str) -> bool:
        return self._function is None or function == self._function


def _sizes() -> Iterator[int]:
    """Yield how many rows the next page has: few at first, as most outlooks are short."""
    size = _FIRST_PAGE
    while True:
        yield size
        size = min(size * _GROWTH, _LARGEST_PAGE)
