"""Read runs of both kinds, time tickers and cron occurrences."""

from collections.abc import Collection
from uuid import UUID

from tickerq_celery import limits
from tickerq_celery.core import Core
from tickerq_celery.enums import TickerStatus, TickerType
from tickerq_celery.errors import TickerNotFoundError
from tickerq_celery.managers.storing import statuses_from
from tickerq_celery.store import tickers
from tickerq_celery.store.tickers import RunFilter
from tickerq_celery.views import Page, Run


class RunReader:
    """What happened, happens and will happen, of both kinds."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def get(self, ticker_id: UUID | str) -> Run:
        """Return a run with its attempts.

        Raises:
            TickerNotFoundError: There is none.
        """
        ticker_id = limits.identifier(ticker_id)
        run = self._core.database.read(
            lambda connection: tickers.get(
                connection, self._core.config.namespace, ticker_id, codec=self._core.codec
            )
        )
        if run is None:
            raise TickerNotFoundError("run", ticker_id)
        return run

    def find(
        self,
        *,
        function: str | None = None,
        status: TickerStatus | Collection[TickerStatus] | None = None,
        type: TickerType | None = None,
        tag: str | None = None,
        parent_id: UUID | str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[Run]:
        """Return a page of runs, the newest first; ``cursor`` is the page before's.

        ``parent_id`` asks for the children of a run.
        """
        wanted = RunFilter(
            function=function,
            statuses=statuses_from(status),
            type=type,
            tag=tag,
            parent_id=None if parent_id is None else limits.identifier(parent_id),
        )
        return self._core.database.read(
            lambda connection: tickers.find(
                connection,
                self._core.config.namespace,
                wanted,
                codec=self._core.codec,
                limit=limit,
                cursor=cursor,
            )
        )
