"""The ordered lists of cron tickers: by their next run, and by name."""

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any, TypedDict, Unpack

from tickerq_celery import validation
from tickerq_celery.managers.unit_of_work import UnitOfWork
from tickerq_celery.store.cron import lists as cron_lists
from tickerq_celery.store.cron.lists import CronFilter
from tickerq_celery.store.reading.views import page_size
from tickerq_celery.tickers.criteria import function_names
from tickerq_celery.tickers.keywords import refuse_unknown
from tickerq_celery.tickers.listings import Listing
from tickerq_celery.tickers.summaries import CronSummary

_TEXT = partial(validation.words, longest=validation.LONGEST_FUNCTION)


class CronFilters(TypedDict, total=False):
    """The keywords of the lists of cron tickers; one meets all of them, and None means any.

    ``function`` is a name, or several; ``function_prefix`` is how one begins, such as "shop.". ``is_seeded``
    says that code or an import defined it; ``is_failing`` that what of it ended last has failed, or that its
    failures have paused it.
    """

    function: str | Collection[str] | None
    function_prefix: str | None
    is_enabled: bool | None
    is_seeded: bool | None
    is_failing: bool | None
    tag: str | None


_CHECKS: Mapping[str, Callable[[str, object], Any]] = {
    "function": lambda field, value: tuple(sorted(function_names(field, value))),
    "function_prefix": partial(validation.words, longest=validation.LONGEST_SEARCH),
    "is_enabled": validation.flag,
    "is_seeded": validation.flag,
    "is_failing": validation.flag,
    "tag": _TEXT,
}


class CronLists:
    """Pages of cron tickers, each list in an order of its own."""

    _storing: UnitOfWork

    def by_next_run(
        self, *, limit: int = 50, cursor: str | None = None, **filters: Unpack[CronFilters]
    ) -> Listing[CronSummary]:
        """Return a page of cron tickers, the next to fire first; what is paused or has ended comes last.

        ``cursor`` is the ``next_cursor`` or the ``previous_cursor`` of a page with the same filters. A call
        reads 2,000 rows at most: where too few of them meet the ``filters``, the page ends early, and says so
        by ``looked_back_to``. With ``is_failing`` it looks at 400 cron tickers at most.

        Raises:
            TickerValidationError: A filter does not exist, or its value means nothing; or the cursor is not
                of this list with these filters.
        """
        return self._listed("crons_by_next_run", limit, cursor, filters)

    def by_name(
        self, *, limit: int = 50, cursor: str | None = None, **filters: Unpack[CronFilters]
    ) -> Listing[CronSummary]:
        """Return a page of cron tickers in the order of their functions' names, then of their making.

        Takes and raises what ``by_next_run`` does. It goes at once to functions, and to a prefix of names.
        """
        return self._listed("crons_by_name", limit, cursor, filters)

    def _listed(
        self, listing: str, limit: int, cursor: str | None, filters: CronFilters
    ) -> Listing[CronSummary]:
        refuse_unknown("there is no such filter", filters, _CHECKS)
        checked = {name: _CHECKS[name](name, value) for name, value in filters.items() if value is not None}
        wanted, size = CronFilter(**checked), page_size(limit)
        return self._storing.core.read_bounded(cron_lists.page, listing, wanted, limit=size, cursor=cursor)
