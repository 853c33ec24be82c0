"""``crons``: cron tickers, the next to fire first."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, TypeAlias
from uuid import UUID

import click

from tickerq_celery.cli import cells
from tickerq_celery.cli.hints import hint_at_functions
from tickerq_celery.cli.output import cursors_of
from tickerq_celery.cli.paging import page_options
from tickerq_celery.cli.shell import Shell, command
from tickerq_celery.cli.tables import Column
from tickerq_celery.cli.words import FunctionParam
from tickerq_celery.tickers.cron_figures import CronFigures, CronOutcome
from tickerq_celery.tickers.json_values import as_json
from tickerq_celery.tickers.listings import Listing
from tickerq_celery.tickers.pages import Walk
from tickerq_celery.tickers.summaries import CronSummary

Figures: TypeAlias = dict[UUID, CronFigures]
# So many cron tickers' figures are read by one call.
_AT_ONCE = 200


@command("crons")
@click.option("--function", type=FunctionParam(), metavar="NAME", help="Of this function or Celery task.")
@click.option("--prefix", metavar="TEXT", help="Of functions whose name begins so.")
@click.option("--tag", metavar="TAG", help="With this tag.")
@click.option("--paused/--firing", "is_paused", default=None, help="Only those that are paused, or are not.")
@click.option("--seeded/--added", "is_seeded", default=None, help="Only those that code defined, or did not.")
@click.option(
    "--failing/--well", "is_failing", default=None, help="Only those whose last run failed, or not."
)
@click.option("--by-name", is_flag=True, help="In the order of their functions' names.")
@page_options
def crons(
    shell: Shell,
    function: str | None,
    prefix: str | None,
    tag: str | None,
    is_paused: bool | None,
    is_seeded: bool | None,
    is_failing: bool | None,
    by_name: bool,
    limit: int,
    cursor: str | None,
    is_all: bool,
) -> None:
    """List cron tickers, the next to fire first.

    Those that are paused or have ended come last.
    """
    manager = shell.managers.cron_tickers
    filters: dict[str, Any] = {
        "function": function,
        "function_prefix": prefix,
        "tag": tag,
        "is_enabled": None if is_paused is None else not is_paused,
        "is_seeded": is_seeded,
        "is_failing": is_failing,
    }
    read = partial(manager.by_name if by_name else manager.by_next_run, **filters)
    figures: Figures = {}

    def page_after(after: str | None, size: int) -> Listing[CronSummary]:
        page = read(limit=size, cursor=after)
        for first in range(0, len(page), _AT_ONCE):
            figures.update(manager.figures([cron.id for cron in page[first : first + _AT_ONCE]]))
        return page

    if is_all:
        _list(shell, Walk(lambda after: page_after(after, _AT_ONCE)), figures)
        return
    found = page_after(cursor, limit)
    _list(shell, found, figures)
    if function is not None and not found:
        hint_at_functions(shell, [function])


def _list(shell: Shell, found: Iterable[CronSummary], figures: Figures) -> None:
    """List what is found; programs read the figures beside the fields of each."""
    if shell.output.is_for_people:
        shell.output.listing(found, _columns(figures), empty="no cron tickers")
        return
    objects = ({**as_json(cron), "figures": as_json(figures.get(cron.id))} for cron in found)
    shell.output.listing(objects, (), empty="", extra=cursors_of(found))


def _state(cron: CronSummary) -> str:
    if cron.is_enabled:
        return cells.moment(cron.next_run_at) or "ended"
    by = ", ".join(each for each in (cron.paused_by, cron.paused_reason) if each)
    return f"paused: {by}" if by else "paused"


def _columns(figures: Figures) -> Sequence[Column[CronSummary]]:
    def last(cron: CronSummary) -> CronOutcome | None:
        found = figures.get(cron.id)
        return None if found is None else found.last

    def ended(cron: CronSummary) -> str:
        outcome = last(cron)
        return "" if outcome is None else outcome.status_word

    def style(cron: CronSummary) -> str | None:
        outcome = last(cron)
        return None if outcome is None or not outcome.outcome_known else cells.STYLES.get(outcome.status)

    def took(cron: CronSummary) -> str:
        return cells.duration(figures[cron.id].mean_duration) if cron.id in figures else ""

    return (*_FIRST, Column("ENDED", ended, style), Column("TOOK", took, is_number=True), *_REST)


_FIRST: Sequence[Column[CronSummary]] = (
    Column("ID", lambda cron: str(cron.id)),
    Column("NEXT", _state, lambda cron: None if cron.is_enabled else "yellow"),
    Column("LAST", lambda cron: cells.moment(cron.last_run_at)),
)
_REST: Sequence[Column[CronSummary]] = (
    Column("EXPRESSION", lambda cron: cron.expression),
    Column("ZONE", lambda cron: cron.time_zone),
    Column("FUNCTION", lambda cron: cron.function),
    Column("DESCRIPTION", lambda cron: cron.description or "", folds=True),
)
