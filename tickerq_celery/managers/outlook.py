"""Upcoming runs: those that are stored, and instants of cron tickers."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from tickerq_celery import validation
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.managers.asynchronous import AsyncManager, AsyncVerb
from tickerq_celery.managers.unit_of_work import UnitOfWork
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.outlook import outlook, pages
from tickerq_celery.store.outlook.outlook import Asked
from tickerq_celery.tickers.outlook import Outlook
from tickerq_celery.wording import moment

MOST_ITEMS = 10_000
AHEAD = timedelta(hours=24)
_LONGEST_WINDOW = timedelta(days=3_660)
BUDGET = timedelta(milliseconds=150)


class OutlookManager:
    """Upcoming runs: those that are stored, and instants of cron tickers that have no run yet."""

    def __init__(self, storing: UnitOfWork) -> None:
        self._storing = storing

    def upcoming(
        self,
        until: datetime | None = None,
        *,
        since: datetime | None = None,
        limit: int = 2_000,
        bands: bool = True,
        budget: timedelta | float = BUDGET,
        function: str | None = None,
    ) -> Outlook:
        """Return what will run before ``until`` (None: in the next 24 hours), the next first.

        ``since`` None begins with what is due already. The instants are computed by the scheduler's own code:
        within bounds, without those of paused cron tickers, and with those that a pause of their function, a
        tag or everything holds, or that were skipped, marked so. A cron ticker with more than six starts is a
        band: one item, at the first of them, with how many there are and how often; without ``bands`` each
        start is an item. The answer has up to ``limit`` items and takes about ``budget`` (a timedelta or
        seconds); where that ends it early, ``truncated`` says so, and ``complete_until`` up to which moment
        nothing is missing.

        Raises:
            TickerValidationError: An argument is invalid.
        """
        asked = _asked(until, since, limit=limit, bands=validation.flag("bands", bands), function=function)
        return self._read(asked, budget, partial(outlook.read, asked=asked))

    def by_first_start(
        self,
        until: datetime | None = None,
        *,
        since: datetime | None = None,
        limit: int = 100,
        budget: timedelta | float = BUDGET,
        function: str | None = None,
        whole_within: int | None = None,
        cursor: str | None = None,
    ) -> Outlook:
        """Return a page of what ``upcoming`` lists: however much that is, the pages have all of the window.

        Each stored run and each cron ticker is on one page, in the order of when it is due or fires next, and
        stands there with all of its starts before ``until``, those of a frequent one as a band. ``cursor`` is
        the ``next_cursor`` of the page before; pass the same ``until`` with it. A page ends when it has
        ``limit`` items, or its ``budget`` is used up. What waits for the end of a pause, or was skipped, is
        on the first page. That has everything, up to 10,000 items, where else it would leave ``whole_within``
        cron tickers at most.

        Raises:
            TickerValidationError: An argument is invalid.
        """
        asked = _asked(until, since, limit=limit, bands=True, function=function)
        within = (
            whole_within
            if whole_within is None
            else validation.whole("whole_within", whole_within, 0, MOST_ITEMS)
        )
        position = None if cursor is None else pages.Position.parse(cursor)
        how = partial(pages.read_page, asked=asked, position=position, whole_within=within)
        return self._read(asked, budget, how)

    def _read(self, asked: Asked, budget: timedelta | float, how: Callable[..., Outlook]) -> Outlook:
        core = self._storing.core
        clock = core.clock
        _check_span(asked, clock.now())
        most = core.config.read_budget
        whole = validation.duration("budget", budget, least=validation.MORE_THAN_ZERO, most=most)

        def read(tx: Transaction) -> Outlook:
            # From here on: a connection that had to be made first takes nothing from it.
            start = clock.monotonic()
            return how(tx, spent=lambda: (clock.monotonic() - start) / whole.total_seconds())

        return core.read_bounded(read)


def _asked(
    until: datetime | None, since: datetime | None, *, limit: int, bands: bool, function: str | None
) -> Asked:
    return Asked(
        since=None if since is None else validation.moment("since", since),
        until=None if until is None else validation.moment("until", until),
        ahead=AHEAD,
        limit=validation.whole("limit", limit, 1, MOST_ITEMS),
        bands=bands,
        function=None if function is None else validation.function(function),
    )


def _check_span(asked: Asked, now: datetime) -> None:
    if asked.since is not None and asked.until is not None and asked.until <= asked.since:
        raise TickerValidationError("until", asked.until, f"pass a moment after since, {moment(asked.since)}")
    start = max(asked.since or now, now)
    if asked.until is not None and asked.until - start > _LONGEST_WINDOW:
        latest = moment(start + _LONGEST_WINDOW)
        raise TickerValidationError("until", asked.until, f"pass a moment within ten years, {latest}")


class AsyncOutlook(AsyncManager):
    """What is coming, stored and computed."""

    upcoming: Final = AsyncVerb(OutlookManager.upcoming)
    by_first_start: Final = AsyncVerb(OutlookManager.by_first_start)
