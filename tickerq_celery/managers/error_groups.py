"""Failures, grouped by function and exception."""

from datetime import datetime

from tickerq_celery import validation
from tickerq_celery.managers.stats import MOST_LISTED
from tickerq_celery.managers.unit_of_work import UnitOfWork
from tickerq_celery.stats import error_groups
from tickerq_celery.stats.windows import window_of
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.tickers.figures import ErrorGroups


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
    ) -> ErrorGroups:
        """Return the failures of a window by function and type of exception, those seen last first.

        The window is one of whole hours, as those of ``stats``; ``limit`` is how many groups, at most 200.
        Each has its count, when it was seen first and last in the window, and the run that failed last.

        Raises:
            TickerValidationError: ``since``, ``until`` or ``limit`` is invalid.
            QueryTooWideError: Reading it takes too long.
        """
        most = validation.whole("limit", limit, 1, MOST_LISTED)
        name = None if function is None else validation.function(function)

        def read(tx: Transaction) -> ErrorGroups:
            return error_groups.groups(tx, window_of(since, until, now=tx.now), name, most)

        return self._storing.core.read_bounded(read)
