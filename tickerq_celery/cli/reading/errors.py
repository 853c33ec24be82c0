"""``errors``: what failed lately, grouped by function and exception."""

from collections.abc import Sequence
from datetime import datetime

import click

from tickerq_celery.cli import cells
from tickerq_celery.cli.hints import hint_at_functions
from tickerq_celery.cli.shell import Shell, command
from tickerq_celery.cli.tables import Column
from tickerq_celery.cli.words import FunctionParam, Moment
from tickerq_celery.tickers.figures import ErrorGroup, ErrorGroups


@command("errors")
@click.option("--function", type=FunctionParam(), metavar="NAME", help="Of this function or Celery task.")
@click.option("--since", type=Moment(), help="From this hour on; else the last 24 hours.")
@click.option("--until", type=Moment(), help="Before this hour; else until now.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 200), help="How many groups.")
def errors(
    shell: Shell, function: str | None, since: datetime | None, until: datetime | None, limit: int
) -> None:
    """List failures by function and exception, those seen last first.

    Each comes with how often and when it was seen, and with the run that failed last: show that one next.
    """
    found = shell.managers.errors.groups(since=since, until=until, function=function, limit=limit)
    window = {name: getattr(found, name) for name in _WINDOW}
    shell.output.listing(found.groups, _COLUMNS, empty="nothing failed", extra=window)
    if not found.groups and function is not None:
        hint_at_functions(shell, [function])
    if shell.output.is_for_people and not found.is_complete:
        _say_what_lacks(found)


def _say_what_lacks(found: ErrorGroups) -> None:
    counted = "none of it" if found.counted_until is None else f"it until {cells.moment(found.counted_until)}"
    click.echo(f"not all that failed is counted: the roll-up has counted {counted}", err=True)


_WINDOW = ("since", "until", "counted_until", "live_from", "is_complete")
_COLUMNS: Sequence[Column[ErrorGroup]] = (
    Column("FAILURES", lambda group: f"{group.count:,}", is_number=True),
    Column("LAST", lambda group: cells.moment(group.last_seen)),
    Column("FIRST", lambda group: cells.moment(group.first_seen)),
    Column("FUNCTION", lambda group: group.function),
    Column("EXCEPTION", lambda group: group.error_type or ""),
    Column("LAST RUN", lambda group: "" if group.sample_id is None else str(group.sample_id)),
    Column("TEXT", lambda group: group.sample_head or "", folds=True),
)
