"""The ordered lists of runs: active, upcoming, and history."""

from typing import Unpack

from tickerq_celery import validation
from tickerq_celery.enums import TickerType
from tickerq_celery.managers.filters import RunFilters, run_filter
from tickerq_celery.runtime.core import Core
from tickerq_celery.store.reading.views import page_size
from tickerq_celery.store.runs import lists as run_lists
from tickerq_celery.store.runs import summaries as run_summaries
from tickerq_celery.tickers.listings import Listing
from tickerq_celery.tickers.run_summaries import RunSummary


class RunLists:
    """Pages of runs, each list in an order of its own."""

    _core: Core
    _kind: TickerType | None

    def active(
        self, *, limit: int = 50, cursor: str | None = None, **filters: Unpack[RunFilters]
    ) -> Listing[RunSummary]:
        """Return a page of what runs, what is queued, and what is held, in that order.

        What runs comes with the longest first, what is queued by when its message is looked for, what is
        held by its cause, and then as it will be released. ``cursor`` is the ``next_cursor`` or the
        ``previous_cursor`` of a page with the same filters. A call reads 2,000 rows at most: where too few of
        them meet the ``filters``, the page ends early, and says so by ``looked_back_to``.

        Raises:
            TickerValidationError: A filter does not exist, or its value means nothing; or the cursor is not
                of this list with these filters.
        """
        return self._listed("active", limit, cursor, filters)

    def upcoming(
        self, *, limit: int = 50, cursor: str | None = None, **filters: Unpack[RunFilters]
    ) -> Listing[RunSummary]:
        """Return a page of what is due already and of what is scheduled, the next to be claimed first.

        Takes and raises what ``active`` does; ``due_from`` and ``due_until`` say between which moments.
        Instants of cron tickers that have not come have no run: ``cron_tickers.upcoming`` returns them.
        """
        return self._listed("upcoming", limit, cursor, filters)

    def history(
        self, *, limit: int = 50, cursor: str | None = None, **filters: Unpack[RunFilters]
    ) -> Listing[RunSummary]:
        """Return a page of what has ended, the latest end first.

        Takes and raises what ``active`` does. However many runs there are, it goes at once to those of a
        function, a status, a kind, a node, a cron ticker or a chain, and to a time by ``ended_until``.
        """
        return self._listed("history", limit, cursor, filters)

    def by_id_prefix(self, prefix: str, *, limit: int = 10) -> tuple[RunSummary, ...]:
        """Return the runs whose ids begin so, the oldest first; 8 digits or more, hyphens do not matter.

        Eight digits are what all runs have in common that were made within about a minute.

        Raises:
            TickerValidationError: ``prefix`` is no beginning of an id, or ``limit`` is not 1 to 1,000.
            QueryTooWideError: It took longer than ``read_budget``.
        """
        digits, size = validation.id_prefix(prefix), page_size(limit)
        find = run_summaries.by_id_prefix
        return tuple(self._core.read_bounded(find, digits, type=self._kind, limit=size))

    def _listed(
        self, listing: str, limit: int, cursor: str | None, filters: RunFilters
    ) -> Listing[RunSummary]:
        wanted = run_filter(self._own(filters))
        size = page_size(limit)
        return self._core.read_bounded(run_lists.page, listing, wanted, limit=size, cursor=cursor)

    def _own(self, filters: RunFilters) -> RunFilters:
        return filters if self._kind is None else {**filters, "type": self._kind}
