"""Upcoming runs: those that are stored, and instants of cron tickers."""

from datetime import datetime, timedelta
from typing import Final

from tickerq_celery import validation
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.managers.asynchronous import AsyncManager, AsyncVerb
from tickerq_celery.managers.unit_of_work import UnitOfWork
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.outlook import outlook
from tickerq_celery.store.outlook.outlook import Asked
from tickerq_celery.tickers.outlook import Outlook
from tickerq_celery.wording import moment

MOST_ITEMS = 10_000
AHEAD = timedelta(hours=24)
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
        budget: timedelta | float = BUDGET,
        function: str | None = None,
    ) -> Outlook:
        """Return what will run before ``until`` (None: in the next 24 hours), the next first.

        ``since`` None begins with what is due already. The instants are computed by the scheduler's own code:
        within bounds, without those of paused cron tickers, and with those that a pause of their function, a
        tag or everything holds, or that were skipped, marked so. The answer has up to ``limit`` items and
        takes about ``budget`` (a timedelta or seconds); where that ends it early, ``truncated`` says so, and
        ``complete_until`` up to which moment nothing is missing.

        Raises:
            TickerValidationError: An argument is invalid.
        """
        asked = Asked(
            since=None if since is None else validation.moment("since", since),
            until=None if until is None else validation.moment("until", until),
            ahead=AHEAD,
            limit=validation.whole("limit", limit, 1, MOST_ITEMS),
            function=None if function is None else validation.function(function),
        )
        if asked.since is not None and asked.until is not None and asked.until <= asked.since:
            raise TickerValidationError("until", until, f"pass a moment after since, {moment(asked.since)}")
        core = self._storing.core
        most = core.config.read_budget
        whole = validation.duration("budget", budget, least=validation.MORE_THAN_ZERO, most=most)
        clock = core.clock

        def read(tx: Transaction) -> Outlook:
            # From here on: a connection that had to be made first takes nothing from it.
            start = clock.monotonic()
            return outlook.read(tx, asked, spent=lambda: (clock.monotonic() - start) / whole.total_seconds())

        return core.read_bounded(read)


class AsyncOutlook(AsyncManager):
    """What is coming, stored and computed."""

    upcoming: Final = AsyncVerb(OutlookManager.upcoming)
