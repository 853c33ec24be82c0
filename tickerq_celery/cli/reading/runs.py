"""``runs``: what runs and waits, what comes next, and what ended last."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import click

from tickerq_celery.cli import cells
from tickerq_celery.cli.hints import hint_at_functions
from tickerq_celery.cli.run_filters import run_filters
from tickerq_celery.cli.shell import Shell, command
from tickerq_celery.cli.tables import Column
from tickerq_celery.cli.words import Moment
from tickerq_celery.clock import SystemClock
from tickerq_celery.enums import TERMINAL, TickerStatus
from tickerq_celery.managers.runs.runs import RunManager
from tickerq_celery.tickers.listings import Listing
from tickerq_celery.tickers.pages import Walk
from tickerq_celery.tickers.summaries import RunSummary
from tickerq_celery.validation import MOST_SEARCHED

ACTIVE, UPCOMING, ENDED = "active", "upcoming", "ended"
# A beat that works claims sooner; and the store's clock may be ahead of this machine's.
_CLAIMED_WITHIN = timedelta(minutes=1)
# The filters by which each list is cut to a span of time; what is active is there now.
_TIMES = {UPCOMING: ("due_from", "due_until"), ENDED: ("ended_from", "ended_until")}


@command("runs")
@click.option("--active", "wanted", flag_value=ACTIVE, help="Only what runs, is queued, or is held.")
@click.option("--upcoming", "wanted", flag_value=UPCOMING, help="Only what is due or scheduled, next first.")
@click.option("--ended", "wanted", flag_value=ENDED, help="Only what has ended, the latest end first.")
@run_filters
@click.option("--since", type=Moment(), help="That ended, or are due, from this moment on.")
@click.option("--until", type=Moment(), help="That ended, or are due, before this moment.")
@click.option(
    "--limit",
    default=20,
    show_default=True,
    type=click.IntRange(1, 1000),
    help="How many of each of the three lists.",
)
@click.option("--cursor", help="Go on where a page of one list ended.")
@click.option("--all", "is_all", is_flag=True, help="All pages of one list.")
def runs(
    shell: Shell,
    wanted: str | None,
    filters: dict[str, Any],
    since: datetime | None,
    until: datetime | None,
    limit: int,
    cursor: str | None,
    is_all: bool,
) -> None:
    """List what runs, comes next, and ended last."""
    lists = _lists(wanted, since, until)
    if len(lists) > 1 and (cursor or is_all):
        raise click.UsageError("--cursor and --all are of one list: pass --active, --upcoming or --ended")
    manager = shell.managers.runs
    if is_all:
        [name] = lists
        walk = Walk(lambda after: _page(manager, name, filters, since, until, limit=1000, cursor=after))
        shell.output.listing(walk, COLUMNS, empty="no runs")
        return
    pages = {name: _page(manager, name, filters, since, until, limit=limit, cursor=cursor) for name in lists}
    _show(shell, pages)
    if not any(pages.values()):
        hint_at_functions(shell, filters.get("function", ()))


def _lists(wanted: str | None, since: datetime | None, until: datetime | None) -> Sequence[str]:
    if wanted is not None:
        return [wanted]
    # What is active has neither ended nor a time when it is due.
    return [ACTIVE, UPCOMING, ENDED] if since is None and until is None else [UPCOMING, ENDED]


def _page(
    manager: RunManager,
    name: str,
    filters: dict[str, Any],
    since: datetime | None,
    until: datetime | None,
    *,
    limit: int,
    cursor: str | None,
) -> Listing[RunSummary]:
    asked = dict(filters)
    if name in _TIMES:
        asked |= dict(zip(_TIMES[name], (since, until), strict=True))
    method = {ACTIVE: manager.active, UPCOMING: manager.upcoming, ENDED: manager.history}[name]
    # A person waits a second for what is far back.
    return method(limit=limit, cursor=cursor, reach=MOST_SEARCHED, **asked)


def _show(shell: Shell, pages: dict[str, Listing[RunSummary]]) -> None:
    if len(pages) == 1:
        [page] = pages.values()
        shell.output.listing(page, COLUMNS, empty="no runs")
        return
    found = [run for page in pages.values() for run in page]
    more = [name for name, page in pages.items() if page.next_cursor is not None]
    shell.output.listing(found, COLUMNS, empty="no runs", extra={"more": more})
    if more and shell.output.is_for_people:
        click.echo(f"there are more: add --{', --'.join(more)}", err=True)


def _when(run: RunSummary) -> datetime | None:
    """Return the moment that matters: of what ended its end, of what runs its start, else when it is due."""
    if run.status in TERMINAL:
        return run.ended_at
    if run.status is TickerStatus.IN_PROGRESS:
        return run.started_at
    return run.next_attempt_at or run.execution_time


def _note(run: RunSummary) -> str:
    """Return what a person wants to know next: what holds it, how far it is, or why it ended as it did."""
    if run.held_for is not None:
        return f"held: {run.held_for}" + (f" ({run.hold_key})" if run.hold_key else "")
    if run.cancel_requested:
        return "is asked to cancel"
    if run.status is TickerStatus.IN_PROGRESS and run.progress is not None:
        return " ".join([f"{run.progress:.0%}", run.progress_message or ""]).strip()
    error = ": ".join(each for each in (run.exception_type, run.error_head) if each)
    overdue = "overdue" if _is_overdue(run) else ""
    return "; ".join(filter(None, (overdue, error))) or cells.reason(run.skipped_head)


def _is_overdue(run: RunSummary) -> bool:
    """Return True if a run that nothing holds was due a while ago, and no beat has claimed it."""
    due = run.next_attempt_at
    return due is not None and due < SystemClock().now() - _CLAIMED_WITHIN


COLUMNS: Sequence[Column[RunSummary]] = (
    Column("ID", lambda run: str(run.id)),
    Column("STATUS", lambda run: run.status_word, cells.status_style),
    Column("WHEN", lambda run: cells.moment(_when(run))),
    Column("TOOK", lambda run: cells.duration(run.elapsed), is_number=True),
    Column("FUNCTION", lambda run: run.function),
    Column("NOTE", _note, folds=True),
)
