"""The pages: each reads a bounded part of the store and shows it."""

from datetime import datetime
from uuid import UUID

from flask import Blueprint, request

from tickerq_celery import Cron, TickerQ, TickerStatus
from tickerq_celery.errors import TickerValidationError
from tickerq_dashboard.errors import UnknownPageError
from tickerq_dashboard.filters import cursor_in, run_filter_in
from tickerq_dashboard.rendering import Renderer

GLANCE = 10
MOST_CRONS_AT_A_GLANCE = 100
NEXT_RUNS = 5


class Pages:
    """The views over one TickerQ; every one of them only reads."""

    def __init__(self, tickerq: TickerQ, renderer: Renderer, *, page_size: int) -> None:
        self._tickerq = tickerq
        self._renderer = renderer
        self._page_size = page_size

    def register(self, blueprint: Blueprint) -> None:
        """Give each page its address; every other address below the base path is a page not found."""
        add = blueprint.add_url_rule
        add("/", "overview", self.overview, strict_slashes=False)
        add("/runs", "runs", self.runs)
        add("/runs/<uuid:run_id>", "run", self.run)
        add("/crons", "crons", self.crons)
        add("/crons/<uuid:cron_id>", "cron", self.cron)
        # A blueprint's guard does not run for addresses that match no rule of it.
        add("/<path:address>", "unknown", self.unknown)

    def overview(self) -> str:
        """Show what runs now, what failed last, what comes next."""
        runs = self._tickerq.runs
        return self._renderer.page(
            "overview.html",
            running=runs.find(status=TickerStatus.IN_PROGRESS, limit=GLANCE),
            failed=runs.find(status=TickerStatus.FAILED, limit=GLANCE),
            newest=runs.find(limit=GLANCE),
            upcoming=self._upcoming(),
        )

    def runs(self) -> str:
        """Show the runs that the address asks for, newest first."""
        wanted = run_filter_in(request.args)
        cursor = cursor_in(request.args)
        page = self._tickerq.runs.find(
            function=wanted.function if wanted.function else None,
            status=wanted.status_wanted,
            is_published=wanted.is_published,
            type=wanted.type_wanted,
            limit=self._page_size,
            cursor=cursor,
        )
        return self._renderer.page("runs.html", page=page, wanted=wanted, cursor=cursor)

    def run(self, run_id: UUID) -> str:
        """Show one run with all its attempts, and a page of its children."""
        run = self._tickerq.runs.get(run_id)
        cursor = cursor_in(request.args)
        return self._renderer.page(
            "run.html",
            run=run,
            children=self._tickerq.runs.find(parent_id=run.id, limit=self._page_size, cursor=cursor),
            cursor=cursor,
        )

    def crons(self) -> str:
        """Show the cron tickers."""
        cursor = cursor_in(request.args)
        page = self._tickerq.cron_tickers.find(limit=self._page_size, cursor=cursor)
        return self._renderer.page("crons.html", page=page, cursor=cursor)

    def cron(self, cron_id: UUID) -> str:
        """Show one cron ticker, when it runs next, and its occurrences."""
        cron = self._tickerq.cron_tickers.get(cron_id)
        cursor = cursor_in(request.args)
        return self._renderer.page(
            "cron.html",
            cron=cron,
            warnings=self._warnings(cron),
            next_runs=self._next_runs(cron),
            page=self._tickerq.cron_tickers.occurrences(cron_id, limit=self._page_size, cursor=cursor),
            cursor=cursor,
        )

    def unknown(self, address: str) -> str:
        """Answer an address that is no page, once the guard has let the visitor in."""
        raise UnknownPageError(address)

    def _next_runs(self, cron: Cron) -> list[datetime] | None:
        """Return the next instants, or None if the stored expression or zone cannot be read."""
        try:
            return self._tickerq.cron_tickers.upcoming(cron.id, count=NEXT_RUNS)
        except TickerValidationError:
            return None

    def _warnings(self, cron: Cron) -> tuple[str, ...]:
        """Return what a reader may not expect of the expression; nothing of one that cannot be read."""
        explain = self._tickerq.cron_tickers.explain
        try:
            explained = explain(cron.expression, time_zone=cron.time_zone, day_or=cron.day_or, count=1)
        except TickerValidationError:
            return ()
        return explained.warnings

    def _upcoming(self) -> list[Cron] | None:
        """Return the cron tickers that run next, or None where there are too many to look at all of them."""
        crons = self._tickerq.cron_tickers.find(is_enabled=True, limit=MOST_CRONS_AT_A_GLANCE)
        if crons.next_cursor is not None:
            return None
        due = [(cron.next_run_at, cron) for cron in crons if cron.next_run_at is not None]
        return [cron for _, cron in sorted(due, key=lambda pair: pair[0])][:NEXT_RUNS]
