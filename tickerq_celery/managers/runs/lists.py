"""The ordered lists of runs, active, upcoming and history, and how many there are."""

from typing import Unpack

from tickerq_celery import validation
from tickerq_celery.enums import TickerType
from tickerq_celery.runtime.core import Core
from tickerq_celery.runtime.shared_limit import part_of
from tickerq_celery.store.reading.ordered_reads import Reach
from tickerq_celery.store.reading.views import page_size
from tickerq_celery.store.runs import counts as run_counts
from tickerq_celery.store.runs import lists as run_lists
from tickerq_celery.store.runs import runs
from tickerq_celery.store.runs import summaries as run_summaries
from tickerq_celery.tickers.counts import MOST_COUNTED, RunCounts
from tickerq_celery.tickers.criteria import RunFilters, run_filter
from tickerq_celery.tickers.listings import Listing
from tickerq_celery.tickers.summaries import RunSummary

# Which part of the time of its read a search takes: a statement that takes longer than foreseen still ends.
_PART = 0.6


class RunLists:
    """Pages of runs, each list in an order of its own, and counts of them."""

    _core: Core
    _kind: TickerType | None

    def active(
        self,
        *,
        limit: int = 50,
        cursor: str | None = None,
        reach: int | None = None,
        **filters: Unpack[RunFilters],
    ) -> Listing[RunSummary]:
        """Return a page of what runs, what is queued, and what is held, in that order.

        What runs comes with the longest first, what is queued by when its message is looked for, what is
        held by its cause, and then as it will be released. ``cursor`` is the ``next_cursor`` or the
        ``previous_cursor`` of a page with the same filters. A call reads 2,000 rows at most, or as many as
        ``reach`` says, up to 100,000, for 0.6 of ``read_budget``, about a second: where too few of them
        meet the ``filters``, the page ends early, and says so by ``looked_back_to``.

        Raises:
            TickerValidationError: A filter does not exist, or its value means nothing; or the cursor is not
                of this list with these filters.
        """
        return self._listed("active", limit, cursor, reach, filters)

    def upcoming(
        self,
        *,
        limit: int = 50,
        cursor: str | None = None,
        reach: int | None = None,
        **filters: Unpack[RunFilters],
    ) -> Listing[RunSummary]:
        """Return a page of what is due already and of what is scheduled, the next to be claimed first.

        Takes and raises what ``active`` does; ``due_from`` and ``due_until`` say between which moments.
        Instants of cron tickers that have not come have no run: ``cron_tickers.upcoming`` returns them.
        """
        return self._listed("upcoming", limit, cursor, reach, filters)

    def history(
        self,
        *,
        limit: int = 50,
        cursor: str | None = None,
        reach: int | None = None,
        **filters: Unpack[RunFilters],
    ) -> Listing[RunSummary]:
        """Return a page of what has ended, the latest end first.

        Takes and raises what ``active`` does. However many runs there are, it goes at once to those of a
        function, a status, a kind, a node, a cron ticker or a chain, and to a time by ``ended_until``.
        """
        return self._listed("history", limit, cursor, reach, filters)

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

    def count(self, *, limit: int = MOST_COUNTED, **filters: Unpack[RunFilters]) -> int:
        """Return how many runs meet all ``filters``, counting to ``limit`` (10,000 at most) and no further.

        Raises:
            TickerValidationError: A filter does not exist, or its value means nothing.
        """
        validation.whole("limit", limit, 1, MOST_COUNTED)
        wanted = run_filter(self._own(filters))
        return self._core.read_bounded(runs.count, wanted, limit=limit)

    def counts(self) -> RunCounts:
        """Return how many runs are in progress, queued, due, scheduled and held, each counted to 10,000.

        It reads no history, and costs the same however many runs have ended.
        """
        return self._core.read_bounded(run_counts.counts)

    def _listed(
        self, listing: str, limit: int, cursor: str | None, reach: int | None, filters: RunFilters
    ) -> Listing[RunSummary]:
        wanted = run_filter(self._own(filters))
        size = page_size(limit)
        most = (
            None
            if reach is None
            else self._reach(validation.whole("reach", reach, 1, validation.MOST_SEARCHED))
        )
        return self._core.read_bounded(run_lists.page, listing, wanted, limit=size, cursor=cursor, reach=most)

    def _reach(self, rows: int) -> Reach:
        whole = part_of(self._core.config.read_budget.total_seconds())
        return Reach(rows=rows, seconds=_PART * whole)

    def _own(self, filters: RunFilters) -> RunFilters:
        return filters if self._kind is None else {**filters, "type": self._kind}
