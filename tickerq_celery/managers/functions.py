"""Registered functions: their options, the workers that have them, and how they do."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Final

from tickerq_celery import validation
from tickerq_celery.errors import TickerNotFoundError, TickerValidationError
from tickerq_celery.health.routing import route_of
from tickerq_celery.managers.asynchronous import AsyncListing, AsyncManager, AsyncVerb
from tickerq_celery.managers.request_checks import check, misfits_of
from tickerq_celery.managers.runs.runs import checked_page_size
from tickerq_celery.managers.stats import uncounted_or_none
from tickerq_celery.managers.unit_of_work import UnitOfWork
from tickerq_celery.payload.expected_request import CheckedBy
from tickerq_celery.stats.function_figures import figures_of, without_ends
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.functions import functions
from tickerq_celery.store.functions import names as function_names
from tickerq_celery.store.functions import views as function_views
from tickerq_celery.store.reading.views import page_size
from tickerq_celery.tickers.function_names import FunctionName
from tickerq_celery.tickers.function_views import FunctionView
from tickerq_celery.tickers.pages import Page, Walk
from tickerq_celery.tickers.surroundings import Surroundings
from tickerq_celery.tickers.uncounted_ends import ReadEnds, UncountedEnds
from tickerq_celery.tickers.views import Cron, Run
from tickerq_celery.wording import meant_by

_LONGEST_PREFIX = 200
_FIGURED = timedelta(days=1)


class FunctionManager:
    """Registered functions: their options, the workers that have them, and how they do."""

    def __init__(self, storing: UnitOfWork, surroundings: Surroundings) -> None:
        self._storing = storing
        self._surroundings = surroundings

    def find(
        self,
        *,
        prefix: str | None = None,
        namespace: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
        with_awaited: bool = True,
        with_figures: bool = True,
        uncounted: UncountedEnds | None = None,
    ) -> Page[FunctionView]:
        """Return a page of functions in the order of their names, whether or not a live worker has them.

        ``prefix`` is how a name begins, such as "shop.". Functions stay known when no worker has them any
        more; one that no worker ever registered is listed where runs or cron tickers wait for it, unless
        ``with_awaited`` is False. Celery tasks are not among them. Their figures, which ``with_figures``
        False leaves out, may share what ``stats.uncounted`` returned with others.

        Raises:
            TickerValidationError: An argument is invalid.
            QueryTooWideError: It took longer than ``read_budget``.
        """
        return self._page_after(
            cursor,
            prefix=prefix,
            namespace=namespace,
            limit=page_size(limit),
            with_awaited=validation.flag("with_awaited", with_awaited),
            with_figures=validation.flag("with_figures", with_figures),
            uncounted=uncounted,
        )

    def iterate(
        self, *, prefix: str | None = None, namespace: str | None = None, page_size: int = 100
    ) -> Walk[FunctionView]:
        """Return an iterator over the functions of all pages; takes and raises what ``find`` does."""
        size = checked_page_size(page_size)
        return Walk(partial(self._page_after, prefix=prefix, namespace=namespace, limit=size))

    def queue_of(self, function: str, queue: str | None = None) -> str | None:
        """Return the queue to which messages of a function go, by Celery's router in this process.

        ``queue`` is a run's own. None is returned where a route names an exchange only, or the router raises.
        """
        return route_of(self._surroundings, function, queue).queue

    def names(self, *having: str, namespace: str | None = None, limit: int = 10) -> tuple[FunctionName, ...]:
        """Return the names that have all of some texts, in any case, the nearest to the first text first.

        That is the text itself, then what begins with it, then what has a part behind a dot that does. They
        are of what ``find`` lists, and of the Celery tasks that cron tickers start. About 10,000 names are
        looked at, fewer where many cron tickers have the same.

        Raises:
            TickerValidationError: An argument is invalid.
            QueryTooWideError: It took longer than ``read_budget``.
        """
        texts = [validation.words("having", each, _LONGEST_PREFIX) for each in having]
        within, size = self._storing.namespace(namespace), page_size(limit)
        return self._storing.core.read_bounded(
            lambda tx: function_names.find(tx.within(within), texts, limit=size)
        )

    def get(
        self,
        name: str,
        *,
        namespace: str | None = None,
        with_figures: bool = True,
        uncounted: UncountedEnds | None = None,
    ) -> FunctionView:
        """Return a function of a namespace: this application's own, unless another is named.

        ``with_figures`` and ``uncounted`` are as for ``find``.

        Raises:
            TickerNotFoundError: No worker of the namespace ever registered it, and nothing waits for it; the
                error names the one that may have been meant.
            QueryTooWideError: It took longer than ``read_budget``.
        """
        wanted, within = validation.function(name), self._storing.namespace(namespace)
        validation.flag("with_figures", with_figures)
        known = uncounted_or_none(uncounted)

        def read(tx: Transaction) -> FunctionView:
            there = tx.within(within)
            found = function_views.get(there, wanted)
            if found is None:
                raise TickerNotFoundError(
                    "function", wanted, hint=meant_by(wanted, functions.some_names(there))
                )
            shown = self._shown(found)
            return _with_figures(there, [shown], known)[0] if with_figures else shown

        return self._storing.core.read_bounded(read)

    def check_request(self, name: str, request: object, *, namespace: str | None = None) -> CheckedBy:
        """Check a request as ``time_tickers.add`` would, store nothing, and return what it was checked by.

        That is the function where this process has it, else the schema that its workers registered.

        Raises:
            TickerValidationError: It does not fit what the function takes, or is no JSON, or too large.
            QueryTooWideError: To read the schema took longer than ``read_budget``.
        """
        within = self._storing.namespace(namespace)
        return check(self._storing.core, validation.function(name), request, namespace=within)

    def misfits(self, ticker: Run | Cron) -> tuple[str, ...] | None:
        """Return the fields of a stored request that do not fit what its function takes, as request.customer.

        None is returned where nothing here says what it takes, or the request cannot be read.

        Raises:
            QueryTooWideError: To read the schema took longer than ``read_budget``.
        """
        return misfits_of(self._storing.core, ticker)

    def _page_after(
        self,
        cursor: str | None,
        *,
        prefix: str | None,
        namespace: str | None,
        limit: int,
        with_awaited: bool = True,
        with_figures: bool = True,
        uncounted: UncountedEnds | None = None,
    ) -> Page[FunctionView]:
        known = uncounted_or_none(uncounted)
        start = None if prefix is None else validation.words("prefix", prefix, _LONGEST_PREFIX)
        after = None if cursor is None else validation.words("cursor", cursor, validation.LONGEST_FUNCTION)
        within = self._storing.namespace(namespace)

        def read(tx: Transaction) -> Page[FunctionView]:
            there = tx.within(within)
            page = function_views.find(
                there, prefix=start, limit=limit, after=after, with_awaited=with_awaited
            )
            shown = tuple(self._shown(view) for view in page)
            found = _with_figures(there, shown, known) if with_figures else shown
            return Page(found, next_cursor=page.next_cursor)

        return self._storing.core.read_bounded(read)

    def _shown(self, view: FunctionView) -> FunctionView:
        route = route_of(self._surroundings, view.name, view.queue)
        schema = self._storing.core.codec.shown_schema(view.request_schema)
        return replace(view, routed_queue=route.queue, request_schema=schema)


def _with_figures(
    tx: Transaction, views: Sequence[FunctionView], known: ReadEnds | None
) -> tuple[FunctionView, ...]:
    if not views:
        return ()
    names, now = [view.name for view in views], tx.now if known is None else known.at
    try:
        found = figures_of(tx, names, since=now - _FIGURED, until=now, uncounted=known)
    except TickerValidationError:
        # More rows of the roll-up than are read at once.
        return tuple(views)
    return tuple(replace(view, figures=found.get(view.name) or without_ends(view.name)) for view in views)


class AsyncFunctions(AsyncManager):
    """What workers registered: options, who has it, how it does."""

    find: Final = AsyncVerb(FunctionManager.find)
    iterate: Final = AsyncListing(FunctionManager.iterate)
    names: Final = AsyncVerb(FunctionManager.names)
    get: Final = AsyncVerb(FunctionManager.get)
    check_request: Final = AsyncVerb(FunctionManager.check_request)
    misfits: Final = AsyncVerb(FunctionManager.misfits)
