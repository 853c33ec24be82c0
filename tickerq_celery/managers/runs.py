"""Runs of both kinds, time tickers and cron occurrences: read, count, cancel, retry."""

from collections.abc import Collection, Mapping
from functools import partial
from typing import Unpack
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from tickerq_celery import validation
from tickerq_celery.cron.overlap import queue_retry
from tickerq_celery.enums import RETRIABLE, TickerKind, TickerStatus, TickerType
from tickerq_celery.errors import DuplicateTickerError, TickerNotFoundError, TickerStateError
from tickerq_celery.managers.filters import RunFilters, run_filter
from tickerq_celery.managers.unit_of_work import UnitOfWork
from tickerq_celery.runs.canceller import Canceller
from tickerq_celery.store import cron_tickers, runs
from tickerq_celery.store.database.transaction import Transaction, savepoint
from tickerq_celery.store.filters import RunFilter
from tickerq_celery.store.views import MOST_ROWS
from tickerq_celery.tickers.pages import Page, Walk
from tickerq_celery.tickers.views import Run

MOST_COUNTED = 10_000
KIND_NAMES: Mapping[TickerType | None, str] = {
    None: "run",
    TickerType.TIME_TICKER: "time ticker",
    TickerType.CRON_TICKER_OCCURRENCE: "occurrence",
}


def checked_page_size(page_size: object) -> int:
    """Return how many items a walk reads at once."""
    return validation.whole("page_size", page_size, 1, MOST_ROWS)


class RunManager:
    """What happened, happens and will happen; of one ``kind``, or of both."""

    def __init__(self, storing: UnitOfWork, canceller: Canceller, kind: TickerType | None = None) -> None:
        self._storing = storing
        self._canceller = canceller
        self._core = storing.core
        self._kind = kind

    def get(self, ticker_id: UUID | str) -> Run:
        """Return a run with its attempts and its newest log lines.

        Raises:
            TickerNotFoundError: There is none.
        """
        ticker_id = validation.identifier(ticker_id)
        return self._core.read(self.got, ticker_id)

    def find(
        self,
        *,
        limit: int = 50,
        cursor: str | None = None,
        with_logs: bool = False,
        **filters: Unpack[RunFilters],
    ) -> Page[Run]:
        """Return a page of the runs that meet all ``filters``, the newest first.

        ``cursor`` is the page before's ``next_cursor``. Log lines are long: ``with_logs`` loads them, too.

        Raises:
            TickerValidationError: A filter does not exist, or its value means nothing.
        """
        wanted = run_filter(self._own(filters))
        return self._page_after(cursor, wanted=wanted, limit=limit, with_logs=with_logs)

    def iterate(
        self, *, page_size: int = 100, with_logs: bool = False, **filters: Unpack[RunFilters]
    ) -> Walk[Run]:
        """Return an iterator over the runs of all pages that meet all ``filters``, the newest first.

        It holds one page at a time, of ``page_size`` runs (1,000 at most), and no transaction between two.
        No run comes twice; one that is added, or begins to meet the filters, after the walk has passed its
        place does not come.

        Raises:
            TickerValidationError: A filter does not exist, or its value means nothing; before the first page.
        """
        wanted = run_filter(self._own(filters))
        limit = checked_page_size(page_size)
        return Walk(partial(self._page_after, wanted=wanted, limit=limit, with_logs=with_logs))

    def count(self, *, limit: int = MOST_COUNTED, **filters: Unpack[RunFilters]) -> int:
        """Return how many runs meet all ``filters``, counting to ``limit`` (10,000 at most) and no further.

        Raises:
            TickerValidationError: A filter does not exist, or its value means nothing.
        """
        validation.whole("limit", limit, 1, MOST_COUNTED)
        wanted = run_filter(self._own(filters))
        core = self._core
        return core.read(runs.count, wanted, limit=limit)

    def cancel(self, ticker_id: UUID | str, *, terminate: bool = False) -> Run:
        """Cancel a run, from any process, and return it as it then is.

        One that waits is Cancelled at once. One that runs is asked to end: its ``cancel_requested`` is True
        until it does. With ``terminate`` the process of the pool that runs it is killed.

        Raises:
            TickerNotFoundError: There is none.
            TickerStateError: It has ended already.
            TickerBusyError: Another process, perhaps a stalled one, keeps its row locked.
        """
        ticker_id = validation.identifier(ticker_id)
        if not self._canceller.cancel(ticker_id, type=self._kind, terminate=terminate):
            raise TickerNotFoundError(KIND_NAMES[self._kind], ticker_id)
        return self.get(ticker_id)

    def retry(self, ticker_id: UUID | str) -> Run:
        """Let a run that ended as Failed, Cancelled or Skipped start again now, with all of its retries.

        Its attempts stay, and their numbers go on. Where occurrences may not overlap, it waits for the
        overlap lock.

        Raises:
            TickerNotFoundError: There is none.
            TickerStateError: It has not ended, or it has succeeded; or it is no run, but the record of
                instants that did not run.
            DuplicateTickerError: Another ticker has taken its unique key meanwhile.
        """
        ticker_id = validation.identifier(ticker_id)
        self._core.write(self._retry, ticker_id)
        self._storing.dispatch([ticker_id])
        return self.get(ticker_id)

    def got(self, tx: Transaction, ticker_id: UUID) -> Run:
        """Return a run, in a transaction that is open."""
        return self.got_all(tx, [ticker_id])[0]

    def got_all(self, tx: Transaction, ids: Collection[UUID]) -> list[Run]:
        """Return runs in the order of their ``ids``, in a transaction that is open."""
        found = runs.get_all(tx, list(ids), codec=self._core.codec, type=self._kind)
        for each in ids:
            if each not in found:
                raise TickerNotFoundError(KIND_NAMES[self._kind], each)
        return [found[each] for each in ids]

    def _page_after(self, cursor: str | None, *, wanted: RunFilter, limit: int, with_logs: bool) -> Page[Run]:
        core = self._core
        return core.read(runs.find, wanted, codec=core.codec, limit=limit, cursor=cursor, with_logs=with_logs)

    def _own(self, filters: RunFilters) -> RunFilters:
        return filters if self._kind is None else {**filters, "type": self._kind}

    def _retry(self, tx: Transaction, ticker_id: UUID) -> None:
        run = self.got(tx, ticker_id)
        if run.status not in RETRIABLE:
            raise TickerStateError(ticker_id, run.status.name, "retried")
        if runs.is_record(tx, ticker_id):
            raise TickerStateError(ticker_id, "the record of instants that did not run", "retried")
        cron = None
        if run.cron_ticker_id is not None:
            cron = cron_tickers.lock(tx, run.cron_ticker_id)
        try:
            with savepoint(tx):
                is_done = runs.retry(tx, ticker_id, task_id=_new_task_id(tx, run))
        except IntegrityError as error:
            raise DuplicateTickerError(run.unique_key or "") from error
        if not is_done:
            raise TickerStateError(ticker_id, "changed by another process just now", "retried")
        if cron is not None:
            queue_retry(tx, cron, ticker_id)


def _new_task_id(tx: Transaction, run: Run) -> str | None:
    """Return a new id for the messages of a cancelled Celery task: workers remember what was revoked."""
    if run.kind is not TickerKind.CELERY_TASK or run.status is not TickerStatus.CANCELLED:
        return None
    return f"{run.id}:{runs.claim_count(tx, run.id) + 1}"
