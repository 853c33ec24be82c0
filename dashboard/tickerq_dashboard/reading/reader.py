"""The reader of one dashboard: bounded calls, each shared by all who ask in the same second."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

from tickerq_celery import Cron, Run, TickerQ
from tickerq_celery.enums import RETRIABLE, SUCCEEDED, UNENDED
from tickerq_celery.errors import QueryTooWideError, TickerNotFoundError, TickerValidationError
from tickerq_celery.limits import MOST_SEARCHED
from tickerq_celery.views import (
    AuditEntry,
    BulkJob,
    ChainTree,
    CronFigures,
    CronSummary,
    FunctionView,
    Listing,
    LostNode,
    NodeView,
    Outlook,
    Page,
    Pause,
    RunSummary,
    SettingsReport,
    UncountedEnds,
)
from tickerq_dashboard.reading.cache import MomentCache
from tickerq_dashboard.reading.coming import all_coming, coming_page
from tickerq_dashboard.reading.held import held_of
from tickerq_dashboard.reading.shown import BulkPage, CronPage, FunctionPage, RunPage
from tickerq_dashboard.reading.waiters import waiters_of
from tickerq_dashboard.reading.windows import DEFAULT, WindowChoice
from tickerq_dashboard.upcoming_filters import UpcomingFilters

ValueT = TypeVar("ValueT")
EXPLAINED = UNENDED | RETRIABLE
NEXT_INSTANTS, CHAIN_SHOWN, AUDIT_SHOWN, OWN_LOOKED_AT = 10, 200, 10, 20
MOST_WAITING = 1_000
# Why something cannot be read, however much time there is.
UNREADABLE = (TickerValidationError, TickerNotFoundError)
# In seconds: what changes by the hour, or by a deployment, need not be asked for each second.
SLOW = 10.0


class Reader:
    """Reads one TickerQ. Every answer is the same for all users: rights are the pages' to apply."""

    def __init__(self, tickerq: TickerQ, *, page_size: int, fresh: float = 1.0) -> None:
        self.tickerq = tickerq
        self.page_size = page_size
        self._cache = MomentCache(fresh=fresh)

    def now(self) -> datetime:
        """Return the present moment, by which pages tell how long ago something was."""
        return datetime.now(UTC)

    def cached(self, key: object, read: Callable[[], ValueT], *, fresh: float | None = None) -> ValueT:
        """Return what ``read`` returns, read once for all who ask for this key at about the same time."""
        return self._cache.get(key, read, fresh=fresh)

    def cached_or_none(
        self, key: object, read: Callable[[], ValueT], *, fresh: float | None = None
    ) -> ValueT | None:
        """Return what ``cached`` does, or None where that is too much to read, or cannot be read here.

        Only the latter is kept: how much one can read depends on the time that its page has left.
        """

        def kept() -> ValueT | None:
            try:
                return read()
            except UNREADABLE:
                return None

        return or_none(lambda: self.cached(key, kept, fresh=fresh))

    def follow(self, operation_id: UUID) -> bool:
        """Read anew what an operation may have changed: once in each process, wherever it was done.

        Returns whether this process hears of the operation for the first time.
        """
        return self._cache.follow(operation_id)

    def own_entry(self, actor: str, operation_id: UUID) -> AuditEntry | None:
        """Return the entry of an operation, if it is among the last ones of its actor."""

        def read() -> AuditEntry | None:
            latest = self.tickerq.audit.find(actor=actor, limit=OWN_LOOKED_AT)
            return next((each for each in latest if each.id == operation_id), None)

        return self.cached(("own", actor, operation_id), read)

    def runs(
        self, listing: str, filters: Mapping[str, Any], cursor: str | None, limit: int | None = None
    ) -> Listing[RunSummary]:
        """Return a page of ``active``, ``upcoming`` or ``history``; without a limit, a page's rows."""
        read, most = getattr(self.tickerq.runs, listing), limit or self.page_size
        words = tuple(sorted((name, str(value)) for name, value in filters.items()))
        key = ("runs", listing, words, cursor, most)
        return self.cached(key, lambda: read(limit=most, cursor=cursor, reach=MOST_SEARCHED, **filters))

    def run(self, run_id: UUID) -> RunPage:
        """Return all that the page of a run shows.

        Raises:
            TickerNotFoundError: There is none.
        """
        return self.cached(("run", run_id), lambda: self._run(run_id))

    def misfits(self, ticker: Run | Cron) -> tuple[str, ...] | None:
        """Return the fields of a stored request that do not fit its function; None where that is unknown."""
        return or_none(lambda: self.tickerq.functions.misfits(ticker))

    def chain(self, run_id: UUID) -> ChainTree:
        """Return the chain that a run belongs to, ``CHAIN_SHOWN`` runs of it at most.

        Raises:
            TickerNotFoundError: There is no such run.
        """
        read = self.tickerq.chains.tree
        return self.cached(("chain", run_id), lambda: read(run_id, limit=CHAIN_SHOWN))

    def crons(
        self, order: str, filters: Mapping[str, Any], cursor: str | None, limit: int | None = None
    ) -> Listing[CronSummary]:
        """Return a page of cron tickers, ``by_next_run`` or ``by_name``."""
        read, most = getattr(self.tickerq.cron_tickers, order), limit or self.page_size
        key = ("crons", order, tuple(sorted(filters.items())), cursor, most)
        return self.cached(key, lambda: read(limit=most, cursor=cursor, **filters))

    def cron_figures(self, crons: Listing[CronSummary]) -> Mapping[UUID, CronFigures]:
        """Return how cron tickers have done lately."""
        ids = tuple(each.id for each in crons)
        return self.cached(("figures", ids), lambda: self.tickerq.cron_tickers.figures(ids), fresh=3.0)

    def cron(self, cron_id: UUID, cursor: str | None) -> CronPage:
        """Return all that the page of a cron ticker shows.

        Raises:
            TickerNotFoundError: There is none.
        """
        return self.cached(("cron", cron_id, cursor), lambda: self._cron(cron_id, cursor))

    def upcoming(self, asked: UpcomingFilters, limit: int) -> Outlook:
        """Return what is to come in a span, up to a limit."""
        key = ("upcoming", asked.hours, asked.since, asked.until, asked.function, limit)
        return self.cached(key, lambda: all_coming(self.tickerq, asked, self.now(), limit), fresh=2.0)

    def upcoming_page(self, asked: UpcomingFilters, cursor: str | None) -> Outlook:
        """Return all that is to come in a span; of very many cron tickers one page."""
        key = ("upcoming page", asked.hours, asked.since, asked.until, asked.function, cursor)
        return self.cached(key, lambda: coming_page(self.tickerq, asked, self.now(), cursor), fresh=2.0)

    def nodes(self, *, fresh: float = 2.0) -> tuple[NodeView, ...]:
        """Return the beats and workers that are there."""
        return self.cached("nodes", self.tickerq.nodes.find, fresh=fresh)

    def lost_nodes(self) -> tuple[LostNode, ...]:
        """Return those that were lost lately."""
        return self.cached("lost", lambda: self.tickerq.nodes.lost(limit=20), fresh=SLOW)

    def pauses(self) -> tuple[Pause, ...]:
        """Return what is paused beyond single cron tickers."""
        return self.cached("pauses", self.tickerq.pauses.find, fresh=2.0)

    def pauses_over(self, function: str, tags: Sequence[str]) -> list[Pause]:
        """Return those pauses that hold runs of a function with some tags."""
        return [each for each in self.pauses() if each.covers(function, tags)]

    def paused_crons(self) -> Listing[CronSummary]:
        """Return the first page of the cron tickers that are paused on their own, the oldest first."""
        return self.crons("by_next_run", {"is_enabled": False}, None)

    def functions(
        self, prefix: str | None, cursor: str | None, limit: int | None = None
    ) -> Page[FunctionView]:
        """Return a page of functions, by name."""
        read, most = self.tickerq.functions.find, limit or self.page_size
        return self.cached(
            ("functions", prefix, cursor, most),
            lambda: read(prefix=prefix, limit=most, cursor=cursor, uncounted=self.uncounted()),
            fresh=3.0,
        )

    def function(self, name: str, window: WindowChoice = DEFAULT) -> FunctionPage:
        """Return all that the page of a function shows, its figures of a window.

        Raises:
            TickerNotFoundError: Nothing is known of it.
        """
        return self.cached(("function", name, window.slug), lambda: self._function(name, window), fresh=3.0)

    def uncounted(self) -> UncountedEnds | None:
        """Return the ends that are in no roll-up yet, for all figures of a moment; None if it is slow."""
        return self.cached_or_none("uncounted", self.tickerq.stats.uncounted)

    def waiting_for(self, function: str) -> int:
        """Return how many runs of a function have not started, up to ``MOST_WAITING``."""
        read = self.tickerq.runs.count
        return self.cached(
            ("waiting for", function),
            lambda: read(function=function, kind="function", status="idle", limit=MOST_WAITING),
            fresh=3.0,
        )

    def bulk_jobs(self, cursor: str | None) -> Page[BulkJob]:
        """Return a page of the bulk jobs, the newest first."""
        read = self.tickerq.bulk.find
        return self.cached(("bulk", cursor), lambda: read(limit=self.page_size, cursor=cursor))

    def bulk_job(self, job_id: UUID) -> BulkPage:
        """Return one bulk job.

        Raises:
            TickerNotFoundError: There is none.
        """

        def read() -> BulkPage:
            return BulkPage(job=self.tickerq.bulk.get(job_id), audit=self._done_to("bulk_job", job_id))

        return self.cached(("bulk job", job_id), read)

    def audit(
        self, filters: Mapping[str, Any], cursor: str | None, limit: int | None = None
    ) -> Page[AuditEntry]:
        """Return a page of the audit, the latest entry first."""
        read, most = self.tickerq.audit.find, limit or self.page_size
        key = ("audit", tuple(sorted((name, str(value)) for name, value in filters.items())), cursor, most)
        return self.cached(key, lambda: read(limit=most, cursor=cursor, **filters))

    def settings(self) -> SettingsReport:
        """Return with what this process works."""
        return self.cached("settings", self.tickerq.report, fresh=SLOW)

    def _run(self, run_id: UUID) -> RunPage:
        run = self.tickerq.runs.get(run_id)
        cron_id = run.cron_ticker_id
        has_chain = run.has_children or run.parent_id is not None or run.root_id is not None
        return RunPage(
            run=run,
            # With nodes that were read after the run, whose worker may have come just before.
            explanation=self.tickerq.runs.explain(run_id, nodes=self.nodes(fresh=0.0))
            if run.status in EXPLAINED
            else None,
            waiters=or_none(lambda: waiters_of(self.tickerq, run)) or (),
            result=self.tickerq.runs.result(run_id) if keeps_result(run) else None,
            cron=None if cron_id is None else or_none(lambda: self.tickerq.cron_tickers.get(cron_id)),
            chain=self.tickerq.chains.tree(run_id, limit=CHAIN_SHOWN) if has_chain else None,
            audit=self._done_to("run", run_id),
        )

    def _cron(self, cron_id: UUID, cursor: str | None) -> CronPage:
        crons = self.tickerq.cron_tickers
        cron = crons.get(cron_id)
        return CronPage(
            cron=cron,
            explanation=or_none(
                lambda: crons.explain(
                    cron.expression, time_zone=cron.time_zone, day_or=cron.day_or, count=NEXT_INSTANTS
                )
            ),
            coming=or_none(lambda: tuple(crons.upcoming(cron_id, count=NEXT_INSTANTS))),
            figures=crons.figures([cron_id]).get(cron_id),
            occurrences=self.tickerq.runs.history(
                cron_ticker_id=cron_id, limit=self.page_size, cursor=cursor
            ),
            audit=self._done_to("cron_ticker", cron_id),
        )

    def _function(self, name: str, window: WindowChoice) -> FunctionPage:
        stats, uncounted = self.tickerq.stats, self.uncounted()
        function = self.tickerq.functions.get(name, uncounted=uncounted)
        since = window.since(self.now())
        asked: Any = {"function": name, "since": since, "step": window.step, "uncounted": uncounted}
        return FunctionPage(
            function=function,
            held=or_none(lambda: held_of(self.tickerq, function)),
            throughput=or_none(lambda: stats.throughput(**asked)),
            durations=or_none(lambda: stats.durations(**asked)),
            crons=self.tickerq.cron_tickers.by_next_run(function=name, limit=20),
        )

    def _done_to(self, kind: str, object_id: UUID) -> tuple[AuditEntry, ...]:
        return tuple(self.tickerq.audit.find(object_kind=kind, object_id=str(object_id), limit=AUDIT_SHOWN))


def keeps_result(run: Run) -> bool:
    """Return whether what a run returned is kept: it is for children that may ask for it, and nobody else."""
    return run.has_children and run.status in SUCCEEDED


def or_none(read: Callable[[], ValueT]) -> ValueT | None:
    """Return what ``read`` returns, or None where that is too much to read, or cannot be read here."""
    try:
        return read()
    except (QueryTooWideError, *UNREADABLE):
        return None
