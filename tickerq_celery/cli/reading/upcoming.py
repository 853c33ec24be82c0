"""``upcoming``: what will run next, stored and computed."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import click

from tickerq_celery.cli import cells
from tickerq_celery.cli.shell import Shell, command
from tickerq_celery.cli.tables import Column
from tickerq_celery.cli.words import Coming, Moment, Span
from tickerq_celery.clock import SystemClock
from tickerq_celery.tickers.outlook import Outlook, OutlookItem

_BOUNDS = ("since", "until", "complete_until", "truncated", "leaves_out_held")
# A person waits for it, and not a page.
_BUDGET = timedelta(seconds=1)


@command("upcoming")
@click.option("--for", "span", type=Span(), help="How far to look; 24h unless it or --until is given.")
@click.option("--since", type=Moment(), help="Not what is due before; without it, what is due already, too.")
@click.option("--until", type=Coming(), help="Up to this moment, such as +2h.")
@click.option("--function", metavar="NAME", help="Of this function or Celery task.")
@click.option("--each", is_flag=True, help="A line for each start, also of cron tickers that start often.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 10_000), help="How many.")
def upcoming(
    shell: Shell,
    span: timedelta | None,
    since: datetime | None,
    until: datetime | None,
    function: str | None,
    each: bool,
    limit: int,
) -> None:
    """List what will run next: stored runs, and instants of cron tickers."""
    if span is not None and until is not None:
        raise click.UsageError("pass --for or --until, not both")
    if span is not None:
        until = (since or SystemClock().now()) + span
    budget = min(_BUDGET, shell.tickerq.config.read_budget)
    found = shell.managers.outlook.upcoming(
        until, since=since, limit=limit, bands=not each, budget=budget, function=function
    )
    bounds = {name: getattr(found, name) for name in _BOUNDS}
    shell.output.listing(found.items, _COLUMNS, empty="nothing is to come", extra=bounds)
    _say_what_is_missing(shell, found)


def _say_what_is_missing(shell: Shell, found: Outlook) -> None:
    if found.truncated is not None:
        shell.output.line(
            f"There is more: complete up to {cells.moment(found.complete_until)} ({found.truncated})."
        )
    if found.leaves_out_held:
        shell.output.line("More cron tickers wait for the end of a pause than were looked at.")


def _state(item: OutlookItem) -> str:
    if item.is_skipped:
        return "skipped"
    if item.is_held:
        return "held"
    return "computed" if item.is_computed else "stored"


def _starts(item: OutlookItem) -> str:
    if not item.is_band:
        return ""
    return f"{item.starts:,}" + ("" if item.every is None else f", every {cells.setting(item.every)}")


_COLUMNS: Sequence[Column[OutlookItem]] = (
    Column("MOMENT", lambda item: cells.moment(item.moment)),
    Column("STATE", _state, lambda item: "yellow" if item.is_held or item.is_skipped else None),
    Column("STARTS", _starts),
    Column("FUNCTION", lambda item: item.function),
    Column("RUN OR CRON TICKER", lambda item: str(item.run_id or item.cron_ticker_id)),
    Column("NOTE", lambda item: item.note or "", folds=True),
    Column("DESCRIPTION", lambda item: item.description or "", folds=True),
)
