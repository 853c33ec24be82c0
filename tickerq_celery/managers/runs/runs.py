"""Runs of both kinds, time tickers and cron occurrences: read, count, explain, cancel, retry."""

from collections.abc import Collection, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final, Unpack
from uuid import UUID

from tickerq_celery import validation
from tickerq_celery.deferred import Deferred
from tickerq_celery.enums import HoldReason, HoldReasonLike, TickerStatus, TickerType
from tickerq_celery.errors import TickerNotFoundError, TickerValidationError
from tickerq_celery.managers.asynchronous import AsyncListing, AsyncManager, AsyncVerb
from tickerq_celery.managers.operations import KIND_NAMES
from tickerq_celery.managers.runs.lists import RunLists
from tickerq_celery.managers.runs.operations import RunOperations
from tickerq_celery.managers.unit_of_work import UnitOfWork
from tickerq_celery.payload.results import RunResult
from tickerq_celery.runs.cancelling import Canceller, CancelOrder
from tickerq_celery.runs.manual_retry import retry
from tickerq_celery.store.cron import cron_tickers
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.reading.views import MOST_ROWS
from tickerq_celery.store.runs import chains, runs
from tickerq_celery.tickers.audit import AuditEntry
from tickerq_celery.tickers.criteria import RunFilter, RunFilters, run_filter
from tickerq_celery.tickers.effect import Change, Effect
from tickerq_celery.tickers.explanations import FirstHeld, RunExplanation
from tickerq_celery.tickers.node_views import NodeView
from tickerq_celery.tickers.pages import Page, Walk
from tickerq_celery.tickers.sessions import AsyncSessionLike, SessionT
from tickerq_celery.tickers.skip_reasons import who_and_why
from tickerq_celery.tickers.surroundings import Surroundings
from tickerq_celery.tickers.versions import ExpectedLike, check_version, wanted_version
from tickerq_celery.tickers.views import Run

if TYPE_CHECKING:
    from tickerq_celery.managers.runs.explaining import RunExplainer
else:
    # Of those who list runs few ask why one waits.
    RunExplainer = Deferred("tickerq_celery.managers.runs.explaining", "RunExplainer")

_CANCEL = "runs.cancel"


def checked_page_size(page_size: object) -> int:
    """Return how many items a walk reads at once."""
    return validation.whole("page_size", page_size, 1, MOST_ROWS)


class RunManager(RunLists, RunOperations[SessionT]):
    """What happened, happens and will happen; of one ``kind``, or of both."""

    def __init__(
        self,
        storing: UnitOfWork,
        canceller: Canceller,
        surroundings: Surroundings,
        kind: TickerType | None = None,
    ) -> None:
        super().__init__(storing, canceller, kind)
        self._surroundings = surroundings

    def get(self, ticker_id: UUID | str) -> Run:
        """Return a run with its attempts and its newest log lines.

        Raises:
            TickerNotFoundError: There is none.
        """
        ticker_id = validation.identifier(ticker_id)
        return self._core.read_bounded(self.got, ticker_id)

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

    def explain(self, ticker_id: UUID | str, *, nodes: Sequence[NodeView] | None = None) -> RunExplanation:
        """Return why a run does not run: all that it waits for, in words, and who or what changes that.

        One that is in progress or has ended waits for nothing; its explanation says where, since when, and
        how it ended. The broker is asked only for a run that should have been published by now, or that is
        held as no worker has its function. ``nodes`` may be what ``nodes.find`` returned a moment ago, which
        is else read.

        Raises:
            TickerNotFoundError: There is no such run.
        """
        return self._explainer().explain(validation.identifier(ticker_id), nodes)

    def explain_held(
        self, function: str, *, reasons: Collection[HoldReasonLike] = tuple(HoldReason)
    ) -> tuple[FirstHeld, ...]:
        """Return why runs of a function wait that are held: for each reason, of the run that comes first.

        It is looked for among the first 2,000 runs that are held for the reason, of any function.
        """
        wanted = [validation.member("reasons", each, HoldReason) for each in reasons]
        return self._explainer().explain_held(validation.function(function), wanted)

    def _explainer(self) -> RunExplainer:
        return RunExplainer(self._core, self._surroundings, self._kind)

    def result(self, ticker_id: UUID | str) -> RunResult | None:
        """Return what a run returned, as it is kept for its children; None where that is nothing.

        That of a run without children is not kept.
        """
        stored = self._core.read_bounded(chains.result_of, validation.identifier(ticker_id))
        return None if stored is None else RunResult(stored, self._core.codec)

    def cancel(
        self,
        ticker_id: UUID | str | None = None,
        *,
        unique_key: str | None = None,
        session: SessionT | None = None,
        terminate: bool = False,
        expected: ExpectedLike = None,
        reason: str | None = None,
        by: str | None = None,
    ) -> Run:
        """Cancel a run, from any process, and return it as it then is.

        One that waits is Cancelled at once. One that runs is asked to end: its ``cancel_requested`` is True
        until it does. With ``terminate`` the process of the pool that runs it is killed. Instead of its id a
        ``unique_key`` names the run that holds it. With ``session`` it is cancelled when the caller's
        transaction commits, or not at all.

        Raises:
            TickerNotFoundError: There is none, or none that has not ended has the unique key.
            TickerStateError: It has ended already.
            TickerChangedError: It is not the ``expected`` one any more.
            TickerBusyError: Another process, perhaps a stalled one, keeps its row locked.
        """
        found = self._named(ticker_id, unique_key, session)
        version = wanted_version(expected)
        arguments = {"terminate": terminate, "expected": version, "unique_key": unique_key}
        operation = self._operation(_CANCEL, [found], by, reason, **arguments)
        operations = self._storing.operations

        def recall(tx: Transaction, entry: AuditEntry) -> None:
            self._check_there(tx, found)

        order = CancelOrder(
            ticker_id=found,
            type=self._kind,
            terminate=terminate,
            who_and_why=who_and_why(operations.who(by), reason),
            check=partial(self._check_version, ticker_id=found, expected=version),
            record=lambda tx, work: operations.record(tx, operation, work, recall),
        )
        if session is None:
            with self._storing.refusals_recorded(operation):
                if not self._canceller.cancel(order):
                    raise TickerNotFoundError(KIND_NAMES[self._kind], found)
        else:
            self._storing.operate(
                operation,
                lambda tx: self._canceller.cancel_within(tx, order),
                recall=recall,
                session=session,
                after=lambda done: self._canceller.announce(done, terminate=terminate),
            )
        return self.reread(found, session)

    def _named(self, ticker_id: UUID | str | None, unique_key: str | None, session: SessionT | None) -> UUID:
        """Return the id of the run that a caller names, by its id or by the unique key that it holds."""
        if (ticker_id is None) is (unique_key is None):
            raise TickerValidationError("unique_key", unique_key, "pass an id or a unique key, one of them")
        if unique_key is None:
            return validation.identifier(ticker_id)
        key = validation.words("unique_key", unique_key, validation.LONGEST_KEY)

        def holder(tx: Transaction) -> UUID | None:
            # Where it was done before, the run has ended since, and does not hold the key any more.
            done = self._storing.operations.done_to(tx, _CANCEL)
            held = runs.active(tx, [key], codec=self._core.codec).get(key) if done is None else None
            return done if held is None else held.id

        seen = self._storing.read(holder, session, verb=_CANCEL)
        # A caller's snapshot may be older than the ticker.
        found = self._core.read(holder) if seen is None and session is not None else seen
        if found is None:
            raise TickerNotFoundError(f"active {KIND_NAMES[self._kind]}", f"unique key {unique_key!r}")
        return found

    def retry(
        self,
        ticker_id: UUID | str,
        *,
        session: SessionT | None = None,
        expected: ExpectedLike = None,
        reason: str | None = None,
        by: str | None = None,
    ) -> Run:
        """Let a run that ended as Failed, Cancelled or Skipped start again now, with all of its retries.

        Its attempts stay, and their numbers go on. Where occurrences may not overlap, it waits for the
        overlap lock.

        Raises:
            TickerNotFoundError: There is none.
            TickerStateError: It has not ended, or it has succeeded; or it is no run, but the record of
                instants that did not run.
            TickerChangedError: It is not the ``expected`` one any more.
            DuplicateTickerError: Another ticker has taken its unique key meanwhile.
        """
        ticker_id, version = validation.identifier(ticker_id), wanted_version(expected)
        operation = self._operation("runs.retry", [ticker_id], by, reason, expected=version)
        self._storing.operate(
            operation,
            lambda tx: self._retry(tx, ticker_id, version, locks=session is not None),
            recall=lambda tx, entry: self._check_there(tx, ticker_id),
            session=session,
        )
        return self.reread(ticker_id, session)

    def _page_after(self, cursor: str | None, *, wanted: RunFilter, limit: int, with_logs: bool) -> Page[Run]:
        core = self._core
        return core.read_bounded(
            runs.find, wanted, codec=core.codec, limit=limit, cursor=cursor, with_logs=with_logs
        )

    def _retry(self, tx: Transaction, ticker_id: UUID, version: str | None, *, locks: bool) -> Effect[None]:
        run = self.got_all(tx, [ticker_id], locks=locks)[0]
        if version is not None:
            # The cron ticker first, as a fire does.
            if run.cron_ticker_id is not None:
                cron_tickers.lock(tx, run.cron_ticker_id)
            run = runs.lock_all(tx, [ticker_id], codec=self._core.codec, type=self._kind).get(ticker_id, run)
            check_version(version, run, ticker_id)
        retry(tx, run)
        change = Change(
            ids=[ticker_id], before={"status": str(run.status)}, after={"status": str(TickerStatus.IDLE)}
        )
        return Effect(result=None, due=[ticker_id], change=change)


class AsyncRuns(AsyncManager):
    """Runs of both kinds: list, get, find, count, explain, retry."""

    active: Final = AsyncVerb(RunManager.active)
    upcoming: Final = AsyncVerb(RunManager.upcoming)
    history: Final = AsyncVerb(RunManager.history)
    by_id_prefix: Final = AsyncVerb(RunManager.by_id_prefix)
    get: Final = AsyncVerb(RunManager.get)
    explain: Final = AsyncVerb(RunManager.explain)
    explain_held: Final = AsyncVerb(RunManager.explain_held)
    result: Final = AsyncVerb(RunManager.result)
    find: Final = AsyncVerb(RunManager.find)
    iterate: Final = AsyncListing(RunManager.iterate)
    count: Final = AsyncVerb(RunManager.count)
    counts: Final = AsyncVerb(RunManager.counts)
    cancel: Final = AsyncVerb(RunManager[AsyncSessionLike].cancel)
    retry: Final = AsyncVerb(RunManager[AsyncSessionLike].retry)
    delete: Final = AsyncVerb(RunManager[AsyncSessionLike].delete)
    delete_batch: Final = AsyncVerb(RunManager[AsyncSessionLike].delete_batch)
    release: Final = AsyncVerb(RunManager[AsyncSessionLike].release)
    mark_failed: Final = AsyncVerb(RunManager[AsyncSessionLike].mark_failed)
