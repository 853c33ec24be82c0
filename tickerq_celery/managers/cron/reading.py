"""Read cron tickers: as they are stored, how they have done, and what they will do."""

from collections.abc import Collection
from datetime import datetime, timedelta
from functools import partial
from typing import Generic, Unpack
from uuid import UUID

from tickerq_celery import validation
from tickerq_celery.errors import TickerNotFoundError, TickerValidationError
from tickerq_celery.managers.cron.locked import KIND
from tickerq_celery.managers.runs.runs import RunManager, checked_page_size
from tickerq_celery.managers.unit_of_work import UnitOfWork
from tickerq_celery.schedule import preview
from tickerq_celery.schedule.planner import instants_between
from tickerq_celery.schedule.preview import BackfillPreview, Explanation
from tickerq_celery.schedule.timetable import timetable_of
from tickerq_celery.store.cron import cron_tickers, figures, occurrences
from tickerq_celery.tickers.criteria import RunFilters
from tickerq_celery.tickers.cron_figures import CronFigures
from tickerq_celery.tickers.pages import Page, Walk
from tickerq_celery.tickers.sessions import SessionT
from tickerq_celery.tickers.views import Cron, Run

MOST_CRONS = 200
_MOMENT = timedelta(microseconds=1)


class CronReading(Generic[SessionT]):
    """Cron tickers, their occurrences, and instants to come, by the code that the scheduler uses."""

    _storing: UnitOfWork
    _occurrences: RunManager[SessionT]

    def get(self, cron_id: UUID | str) -> Cron:
        """Return a cron ticker.

        Raises:
            TickerNotFoundError: There is none.
        """
        found, core = validation.identifier(cron_id), self._storing.core
        cron = core.read_bounded(cron_tickers.get, found, codec=core.codec)
        if cron is None:
            raise TickerNotFoundError(KIND, found)
        return cron

    def get_batch(self, ids: Collection[UUID | str]) -> list[Cron]:
        """Return those of ``ids`` that are cron tickers, in the order given."""
        wanted, core = [validation.identifier(each) for each in ids], self._storing.core
        found = core.read_bounded(cron_tickers.get_all, wanted, codec=core.codec)
        return [found[each] for each in dict.fromkeys(wanted) if each in found]

    def find(
        self,
        *,
        function: str | None = None,
        is_enabled: bool | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[Cron]:
        """Return a page of cron tickers, the newest first; ``cursor`` is the ``next_cursor`` of one."""
        return self._page_after(cursor, function=function, is_enabled=is_enabled, limit=limit)

    def iterate(
        self, *, function: str | None = None, is_enabled: bool | None = None, page_size: int = 100
    ) -> Walk[Cron]:
        """Return an iterator over the cron tickers of all pages; goes on as that of ``runs.iterate``."""
        limit = checked_page_size(page_size)
        return Walk(partial(self._page_after, function=function, is_enabled=is_enabled, limit=limit))

    def occurrences(
        self,
        cron_id: UUID | str,
        *,
        limit: int = 50,
        cursor: str | None = None,
        **filters: Unpack[RunFilters],
    ) -> Page[Run]:
        """Return a page of a cron ticker's occurrences, newest first; takes what ``runs.find`` does.

        All of them: ``runs.iterate(cron_ticker_id=…)``.
        """
        own: RunFilters = {**filters, "cron_ticker_id": cron_id}
        return self._occurrences.find(limit=limit, cursor=cursor, **own)

    def figures(self, ids: Collection[UUID | str]) -> dict[UUID, CronFigures]:
        """Return how each of up to 200 cron tickers has done lately, by its id.

        An id without a cron ticker has no entry.

        The figures are those of the last 20 instants that have ended, as far as their runs are kept.

        Raises:
            TickerValidationError: There are more than 200 ids, or one is no UUID.
        """
        if isinstance(ids, str):
            raise TickerValidationError("ids", ids, "pass a list of ids")
        wanted = list(dict.fromkeys(validation.identifier(each) for each in ids))
        if len(wanted) > MOST_CRONS:
            raise TickerValidationError("ids", len(wanted), f"pass {MOST_CRONS} at most")
        if not wanted:
            return {}
        return self._storing.core.read_bounded(figures.find, wanted)

    def preview(
        self,
        expression: str,
        *,
        time_zone: str = "UTC",
        after: datetime | None = None,
        count: int = 10,
        day_or: bool = False,
    ) -> list[datetime]:
        """Return the next instants of an expression, strictly after ``after`` (None: now).

        Raises:
            InvalidCronError: The expression cannot be parsed, or never fires.
        """
        return preview.preview(
            expression, time_zone=time_zone, after=self._start(after), count=count, day_or=day_or
        )

    def explain(
        self,
        expression: str,
        *,
        time_zone: str = "UTC",
        after: datetime | None = None,
        count: int = 10,
        day_or: bool = False,
    ) -> Explanation:
        """Return the next instants of an expression with notes on changes of the clocks, and warnings.

        One that never fires is a warning here.

        Raises:
            InvalidCronError: The expression cannot be parsed.
        """
        return preview.explain(
            expression, time_zone=time_zone, after=self._start(after), count=count, day_or=day_or
        )

    def upcoming(
        self, cron_id: UUID | str, *, after: datetime | None = None, count: int = 10
    ) -> list[datetime]:
        """Return the next instants of a stored cron ticker, strictly after ``after`` (None: now).

        They are within its bounds, and as if it were not paused. From now on none is one that ``skip_next``
        has skipped; after a moment of the past, all of them are returned.

        Raises:
            TickerNotFoundError: There is none.
            TickerValidationError: Its expression or zone cannot be read here, or ``after`` is naive.
        """
        now = self._storing.core.clock.now()
        start = now if after is None else validation.moment("after", after)
        cron = self.get(cron_id)
        timetable = timetable_of(cron)
        following = cron.next_run_at or cron.resume_from
        skipped: Collection[datetime] = ()
        if start >= now:
            if following is None and cron.is_enabled:
                return []  # it has come to its end
            now = now if following is None else max(now, following - _MOMENT)
            start = max(start, now)
            skipped = self._storing.core.read_bounded(occurrences.after, [cron.id], now).get(cron.id, ())
        found = preview.upcoming(timetable, after=start, count=count, but=skipped)
        if cron.max_runs is None:
            return found
        left = cron.max_runs - cron.run_count
        return found[: max(0, left - timetable.count(now + _MOMENT, start + _MOMENT))]

    def backfill_preview(self, cron_id: UUID | str, start: datetime, end: datetime) -> BackfillPreview:
        """Return the instants from ``start`` and before ``end``, and those that ``backfill`` would make.

        These have no occurrence. It stores nothing, and does not look for what was pruned.

        Raises:
            TickerNotFoundError: There is none.
            TickerValidationError: The range is no range of the past, or too long.
            QueryTooWideError: It took longer than ``read_budget``.
        """
        begin, until = validation.moment("start", start), validation.moment("end", end)
        core, cron = self._storing.core, self.get(cron_id)
        now: datetime = core.read_bounded(lambda tx: tx.now)
        wanted = instants_between(timetable_of(cron), begin, until, now=now)
        taken = core.read_bounded(occurrences.taken_among, cron.id, wanted)
        missing = tuple(each for each in wanted if each not in taken)
        return BackfillPreview(instants=tuple(wanted), missing=missing)

    def _start(self, after: datetime | None) -> datetime:
        return self._storing.core.clock.now() if after is None else after

    def _page_after(
        self, cursor: str | None, *, function: str | None, is_enabled: bool | None, limit: int
    ) -> Page[Cron]:
        core = self._storing.core
        return core.read_bounded(
            cron_tickers.find,
            function=function,
            is_enabled=is_enabled,
            codec=core.codec,
            limit=limit,
            cursor=cursor,
        )
