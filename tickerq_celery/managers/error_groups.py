"""Failures, grouped by function and exception."""

from datetime import datetime, timedelta
from typing import Final

from tickerq_celery import validation
from tickerq_celery.managers.asynchronous import AsyncManager, AsyncVerb
from tickerq_celery.managers.stats import MOST_LISTED, uncounted_or_none
from tickerq_celery.managers.unit_of_work import UnitOfWork
from tickerq_celery.stats import error_groups
from tickerq_celery.stats.windows import grain_of, step_of, window_of
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.tickers.figures import ErrorGroups
from tickerq_celery.tickers.uncounted_ends import UncountedEnds


class ErrorManager:
    """Failures, grouped by function and exception."""

    def __init__(self, storing: UnitOfWork) -> None:
        self._storing = storing

    def groups(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        function: str | None = None,
        limit: int = 50,
        with_samples: bool = True,
        step: timedelta | float | None = None,
        uncounted: UncountedEnds | None = None,
    ) -> ErrorGroups:
        """Return the failures of a window by function and type of exception, those seen last first.

        The window is one of whole hours, as those of ``stats``; ``limit`` is how many groups, at most 200.
        Each has its count, when it was seen first and last in the window, and the run that failed last,
        unless ``with_samples`` is False. With a ``step`` each also has its count in each step; one of half
        hours or minutes makes the window one of these. ``uncounted`` is as for ``stats``.

        Raises:
            TickerValidationError: An argument is invalid.
            QueryTooWideError: Reading it takes too long.
        """
        most = validation.whole("limit", limit, 1, MOST_LISTED)
        name = None if function is None else validation.function(function)
        validation.flag("with_samples", with_samples)
        known, grain = uncounted_or_none(uncounted), grain_of(step)

        def read(tx: Transaction) -> ErrorGroups:
            window = window_of(since, until, now=tx.now if known is None else known.at, grain=grain)
            wanted = error_groups.Wanted(
                window=window,
                step=None if step is None else step_of(step, window),
                function=name,
                limit=most,
                with_samples=with_samples,
            )
            return error_groups.groups(tx, wanted, known)

        return self._storing.core.read_bounded(read)


class AsyncErrors(AsyncManager):
    """Failures, grouped by function and exception."""

    groups: Final = AsyncVerb(ErrorManager.groups)
