"""Read what is to come: stored runs and computed instants in one order, within a limit and a time."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from tickerq_celery.schedule.shared_timetables import OutlookWindow, SharedTimetables
from tickerq_celery.store.cron import pauses
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.outlook import rows as outlook_rows
from tickerq_celery.store.outlook.rows import Key
from tickerq_celery.store.reading.index_scans import EARLIEST
from tickerq_celery.tickers.outlook import Bound, Outlook, OutlookItem
from tickerq_celery.tickers.outlook_items import OutlookCron, PlannedRun, item_of_run, item_of_skip, items_of
from tickerq_celery.tickers.pauses import covering

# Of what has no index for its moments, so many rows are looked at.
_MOST_LOOKED_AT = 2_000
_SHARE_OF_HELD = 0.5
# With more starts, a cron ticker is a band.
_MOST_EACH = 6
_FIRST_PAGE, _GROWTH, _LARGEST_PAGE = 50, 4, 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked for; ``since`` None begins with what is due already, ``until`` None is ``ahead``."""

    since: datetime | None
    until: datetime | None
    ahead: timedelta
    limit: int
    bands: bool
    function: str | None


def _window_of(tx: Transaction, asked: Asked) -> OutlookWindow:
    since = asked.since or EARLIEST
    until = asked.until or max(tx.now, since) + asked.ahead
    most_each = _MOST_EACH if asked.bands else asked.limit
    return OutlookWindow(since=since, until=until, now=tx.now, most_each=most_each, bands=asked.bands)


def read(tx: Transaction, asked: Asked, *, spent: Callable[[], float]) -> Outlook:
    """Return an outlook; ``spent`` says which share of its time has passed, and is asked between steps."""
    reading = Reading(tx, asked, spent)
    window = reading.window
    reading.skipped()
    # Of these all are computed before any other item is known: they may take half of the time.
    reading.held()
    reading.runs()
    reading.planned()
    items = sorted(reading.items, key=lambda item: item.moment)
    complete_until, truncated = reading.complete_until, reading.truncated
    if truncated is not None:
        items = [item for item in items if item.moment <= complete_until]
    if len(items) > asked.limit:
        complete_until, truncated = items[asked.limit].moment, Bound.LIMIT
    return Outlook(
        items=tuple(items[: asked.limit]),
        since=asked.since,
        until=window.until,
        complete_until=complete_until,
        truncated=truncated,
        leaves_out_held=not reading.is_whole,
    )


class Reading:
    """The items of one outlook, of each source in pages as far as they are wanted."""

    def __init__(self, tx: Transaction, asked: Asked, spent: Callable[[], float]) -> None:
        # With the time, by which the window is known.
        self._pauses = pauses.list_with_time(tx)
        self.window = _window_of(tx, asked)
        self.items: list[OutlookItem] = []
        self.complete_until = self.window.until
        self.truncated: Bound | None = None
        self.is_whole = True
        self._tx = tx
        self._asked = asked
        self._spent = spent
        # Read when something is overdue.
        self._functions: frozenset[str] | None = None
        self._taken: dict[UUID, set[datetime]] = {}
        self._timetables = SharedTimetables(self.window)

    def skipped(self) -> None:
        """Add the instants to come that were skipped, all read at once."""
        since, until = max(self.window.now, self.window.since), self.window.until
        found, self.is_whole = outlook_rows.skipped(self._tx, since=since, until=until, limit=_MOST_LOOKED_AT)
        for each in found:
            self._taken.setdefault(each.cron.id, set()).add(each.instant)
            if each.is_skipped and self._is_wanted(each.cron.function):
                item = item_of_skip(each, self._timetables)
                self.items += [] if item is None else [item]

    def held(self) -> None:
        """Add what each cron ticker does that waits for the end of a pause."""
        if not self._pauses:
            return
        found, is_whole = outlook_rows.without_next_run(self._tx, limit=_MOST_LOOKED_AT)
        self.is_whole = self.is_whole and is_whole
        for cron in found:
            if self._is_wanted(cron.function) and self._spent() > _SHARE_OF_HELD:
                self.is_whole = False
                return
            self.add_cron(cron)

    def runs(self) -> None:
        """Add the stored runs that are due."""
        for page in self.waiting(None):
            for run in page:
                self.add_run(run)
            if page and self._is_enough(page[-1].due_at):
                return

    def planned(self) -> None:
        """Add what each cron ticker does that beat fires, in the order of their next instants."""
        for page in self.firing(None):
            for at, cron in page:
                if self._spent() >= 1:
                    self._stop(max(at, self.window.since), Bound.BUDGET)
                    return
                self.add_cron(cron)
            if page and self._is_enough(max(page[-1][0], self.window.since)):
                return

    def waiting(self, after: Key | None) -> Iterator[list[PlannedRun]]:
        """Yield the stored runs that are due, of any function, from behind a key on."""
        for size in self._sizes():
            page = outlook_rows.waiting(
                self._tx, since=self.window.since, until=self.window.until, after=after, limit=size
            )
            yield page
            if len(page) < size:
                return
            after = (page[-1].due_at, page[-1].id)

    def firing(self, after: Key | None) -> Iterator[list[tuple[datetime, OutlookCron]]]:
        """Yield the cron tickers that beat fires, of any function, with their next instants."""
        for size in self._sizes():
            page = outlook_rows.planned(self._tx, until=self.complete_until, after=after, limit=size)
            self._take_overdue([cron for cron in page if self._is_wanted(cron.function)])
            found = [(cron.next_run_at or self.window.now, cron) for cron in page]
            yield found
            if len(page) < size:
                return
            after = (found[-1][0], found[-1][1].id)

    def crons_behind(self, after: Key | None, most: int) -> int:
        """Return how many cron tickers fire in the window behind a key, counted up to ``most``."""
        asked, until = self._asked, self.window.until
        return outlook_rows.count_planned(
            self._tx, until=until, after=after, function=asked.function, limit=most
        )

    def add_run(self, run: PlannedRun) -> None:
        """Add a stored run, if it is of the function that was asked for."""
        if self._is_wanted(run.function):
            pause = covering(self._pauses, run.function, run.tags)
            self.items.append(item_of_run(run, pause, self.window.now, has_worker=self._has_worker))

    def add_cron(self, cron: OutlookCron) -> None:
        """Add what a cron ticker does in the window, if it is of the function that was asked for."""
        if self._is_wanted(cron.function):
            pause = covering(self._pauses, cron.function, cron.tags)
            taken = self._taken.get(cron.id, ())
            self.items += items_of(cron, self.window, pause=pause, taken=taken, timetables=self._timetables)

    def _is_enough(self, moment: datetime) -> bool:
        """Return whether a source need not be read on that has come to a moment."""
        if self._spent() >= 1:
            self._stop(moment, Bound.BUDGET)
        elif sum(item.moment <= moment for item in self.items) > self._asked.limit:
            self._stop(moment, Bound.LIMIT)
        else:
            return False
        return True

    def _stop(self, moment: datetime, bound: Bound) -> None:
        self.complete_until, self.truncated = moment, bound

    def _has_worker(self, function: str) -> bool:
        if self._functions is None:
            self._functions = outlook_rows.functions_of_workers(self._tx)
        return function in self._functions

    def _take_overdue(self, crons: Sequence[OutlookCron]) -> None:
        """Note which instants that have passed have their run, as a backfill may have made it."""
        now = self.window.now
        overdue = [cron for cron in crons if cron.next_run_at is not None and cron.next_run_at <= now]
        for cron_id, instant in outlook_rows.taken(self._tx, overdue):
            self._taken.setdefault(cron_id, set()).add(instant)

    def _is_wanted(self, function: str) -> bool:
        return self._asked.function is None or function == self._asked.function

    def _sizes(self) -> Iterator[int]:
        """Yield how many rows the next page has: few at first, as most outlooks are short."""
        size = max(_FIRST_PAGE, self._asked.limit + 1)
        while True:
            yield min(size, _LARGEST_PAGE)
            size *= _GROWTH
