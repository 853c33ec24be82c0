"""Figures of what has ended: throughput, durations, lag and failures, from the roll-up."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final, Generic

from tickerq_celery import validation
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.managers.asynchronous import AsyncManager, AsyncVerb
from tickerq_celery.managers.operations import Operation
from tickerq_celery.managers.unit_of_work import UnitOfWork
from tickerq_celery.stats import function_figures, rebuilding, series
from tickerq_celery.stats.reading import read_uncounted
from tickerq_celery.stats.rebuilding import RecountedHour
from tickerq_celery.stats.windows import PeriodWindow, grain_of, step_of, window_of
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.tickers.audit import ObjectKind
from tickerq_celery.tickers.effect import Change, Effect
from tickerq_celery.tickers.figures import Rebuild, Throughput, Timings, TopFailing
from tickerq_celery.tickers.sessions import AsyncSessionLike, SessionT
from tickerq_celery.tickers.tallies import HOURS, Grain, SpreadName
from tickerq_celery.tickers.uncounted_ends import ReadEnds, UncountedEnds

MOST_LISTED = 200


class StatsManager(Generic[SessionT]):
    """What happened in a window of time, in whole hours of UTC: by default in the last 24 hours.

    ``since`` is inclusive and ``until`` exclusive; both are widened to whole hours, and the answer says to
    which. A window has at most 400 days, a series at most 400 points. Its ``step`` is of whole hours: an hour
    unless it is given, or a day where hours made too many points. Of all functions together it may also be of
    whole half hours within the last 40 days, and of whole minutes within the last three hours; then the
    window is widened to half hours, or to minutes.

    Figures that are asked for one after the other may share what ``uncounted`` returned: then they are of
    that moment, and the ends that are not in the roll-up yet are read once for all of them.
    """

    def __init__(self, storing: UnitOfWork) -> None:
        self._storing = storing
        self._core = storing.core

    def uncounted(self) -> UncountedEnds:
        """Return the ends that the roll-up has not counted yet, the newest 2,000 of the store.

        Raises:
            QueryTooWideError: Reading it takes too long.
        """
        return self._core.read_bounded(read_uncounted)

    def throughput(
        self,
        *,
        function: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        step: timedelta | float | None = None,
        uncounted: UncountedEnds | None = None,
    ) -> Throughput:
        """Return how many runs ended, by how they ended, in all and in each ``step``; also of one function.

        Raises:
            TickerValidationError: An argument is invalid.
            QueryTooWideError: Reading it takes too long.
        """
        name, known = _function(function), uncounted_or_none(uncounted)

        grain = grain_of(step, name)

        def read(tx: Transaction) -> Throughput:
            window = _window(tx, since, until, known, grain)
            return series.throughput(tx, window, step_of(step, window), name, known)

        return self._core.read_bounded(read)

    def durations(
        self,
        *,
        function: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        step: timedelta | float | None = None,
        uncounted: UncountedEnds | None = None,
    ) -> Timings:
        """Return how long runs took, in all and in each ``step``; also of one function.

        That is ``Run.elapsed``, of the last attempt of each end that has one.

        Raises:
            TickerValidationError: An argument is invalid, or the window has too much for one read: pass a
                function or a shorter window.
            QueryTooWideError: Reading it takes too long.
        """
        return self._timings(function, since, until, step, uncounted, of="durations")

    def lag(
        self,
        *,
        function: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        step: timedelta | float | None = None,
        uncounted: UncountedEnds | None = None,
    ) -> Timings:
        """Return how long after its time a run started, in all and in each ``step``; also of one function.

        Its time is its execution time, or when it was added where that was later or it has none. It is known
        of runs without a parent that had one attempt; the others do not count. A run counts when it ends.

        Raises:
            TickerValidationError: As ``durations``.
            QueryTooWideError: Reading it takes too long.
        """
        return self._timings(function, since, until, step, uncounted, of="lags")

    def top_failing(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 10,
        uncounted: UncountedEnds | None = None,
    ) -> TopFailing:
        """Return the functions with the most failures, those first.

        ``limit`` is 200 at most. Functions without a failure are left out. So are percentiles:
        ask ``durations`` for those of one function.

        Raises:
            TickerValidationError: An argument is invalid.
            QueryTooWideError: Reading it takes too long.
        """
        most, known = validation.whole("limit", limit, 1, MOST_LISTED), uncounted_or_none(uncounted)

        def read(tx: Transaction) -> TopFailing:
            window = _window(tx, since, until, known)
            answer, found = function_figures.failing(tx, window, most, known)
            return TopFailing(**answer.about(window), functions=found)

        return self._core.read_bounded(read)

    def rebuild(
        self,
        since: datetime,
        until: datetime | None = None,
        *,
        session: SessionT | None = None,
        reason: str | None = None,
        by: str | None = None,
    ) -> Rebuild:
        """Count the ends of whole hours anew, from the runs that are there now, and return what changed.

        It finds ends that were committed later than two minutes after their moment, which are in no figure.
        Each hour is one transaction; doing it twice changes nothing more. It counts runs as they are now: one
        that was retried manually only once, and what was deleted not at all. Hours that retention may have
        deleted from, and those that are not counted entirely yet, are refused. Without ``until`` the last one
        is the latest that is counted. With a ``session`` all hours are part of its transaction, as it sees
        them, and beats count no ends until it has ended.

        Raises:
            TickerValidationError: ``since`` or ``until`` is invalid, too old or too new, or a
                text is too long.
        """
        operation = Operation(
            action="stats.rebuild",
            kind=ObjectKind.ROLLUP,
            by=by,
            reason=reason,
            arguments={"since": since, "until": until},
        )
        shortest = self._core.config.retention.shortest

        def begin(tx: Transaction) -> Effect[PeriodWindow]:
            window = rebuilding.window_to_rebuild(tx, since, until, kept=shortest)
            return Effect(result=window, change=Change(after=_shown(window)))

        # Its entry is there before the first hour changes. Doing it again does no harm.
        window = self._storing.operate(
            operation, begin, recall=lambda tx, entry: begin(tx).result, session=session
        )

        def write(work: Callable[[Transaction], RecountedHour]) -> RecountedHour:
            return self._storing.in_transaction(
                lambda tx: Effect(result=work(tx)), session, verb=operation.action
            )

        return rebuilding.rebuild(write, window)

    def _timings(
        self,
        function: str | None,
        since: datetime | None,
        until: datetime | None,
        step: timedelta | float | None,
        uncounted: UncountedEnds | None,
        *,
        of: SpreadName,
    ) -> Timings:
        name, known = _function(function), uncounted_or_none(uncounted)

        grain = grain_of(step, name)

        def read(tx: Transaction) -> Timings:
            window = _window(tx, since, until, known, grain)
            return series.timings(tx, window, step_of(step, window), name, known, of=of)

        return self._core.read_bounded(read)


def uncounted_or_none(uncounted: object) -> ReadEnds | None:
    """Return the ends that a caller gives.

    Raises:
        TickerValidationError: It gives something else.
    """
    if uncounted is None or isinstance(uncounted, ReadEnds):
        return uncounted
    raise TickerValidationError("uncounted", uncounted, "pass what stats.uncounted() has returned")


def _window(
    tx: Transaction,
    since: datetime | None,
    until: datetime | None,
    known: ReadEnds | None,
    grain: Grain = HOURS,
) -> PeriodWindow:
    return window_of(since, until, now=tx.now if known is None else known.at, grain=grain)


def _function(name: str | None) -> str | None:
    return None if name is None else validation.function(name)


def _shown(window: PeriodWindow) -> Mapping[str, object]:
    return {"since": window.since.isoformat(), "until": window.until.isoformat()}


class AsyncStats(AsyncManager):
    """What happened lately, in figures of the roll-up."""

    uncounted: Final = AsyncVerb(StatsManager.uncounted)
    throughput: Final = AsyncVerb(StatsManager.throughput)
    durations: Final = AsyncVerb(StatsManager.durations)
    lag: Final = AsyncVerb(StatsManager.lag)
    top_failing: Final = AsyncVerb(StatsManager.top_failing)
    rebuild: Final = AsyncVerb(StatsManager[AsyncSessionLike].rebuild)
