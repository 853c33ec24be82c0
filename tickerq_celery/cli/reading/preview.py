"""``preview EXPRESSION``: when it fires, and what its writer may not expect."""

from collections.abc import Sequence
from datetime import datetime

import click

from tickerq_celery.cli import cells
from tickerq_celery.cli.output import Output
from tickerq_celery.cli.shell import Shell, command
from tickerq_celery.cli.tables import Column
from tickerq_celery.cli.words import Moment
from tickerq_celery.schedule.preview import Explanation, Upcoming


@command("preview", needs_store=False)
@click.argument("expression")
@click.option("--zone", help="An IANA name; else the setting time_zone.")
@click.option(
    "--count", default=10, show_default=True, type=click.IntRange(1, 1000), help="How many instants."
)
@click.option("--after", type=Moment(), help="From this moment on; else now.")
@click.option("--day-or", is_flag=True, help="Fire on days that match either day field, as Unix does.")
def preview(
    shell: Shell, expression: str, zone: str | None, count: int, after: datetime | None, day_or: bool
) -> None:
    """Show when an expression fires.

    It is a cron expression or an interval; notes say what changes of the clocks do to it.
    """
    found = shell.managers.cron_tickers.explain(
        expression,
        time_zone=zone or shell.tickerq.config.time_zone,
        after=after,
        count=count,
        day_or=day_or,
    )
    shell.output.value(found, lambda: _write(shell.output, found))


def _write(output: Output, found: Explanation) -> None:
    output.line(f"{found.expression} in {found.time_zone}", bold=True)
    for warning in found.warnings:
        output.line(f"warning: {warning}", fg="yellow")
    output.listing(found.upcoming, _COLUMNS, empty="no instant comes")


_COLUMNS: Sequence[Column[Upcoming]] = (
    Column("INSTANT", lambda upcoming: cells.moment(upcoming.instant)),
    Column("LOCAL", lambda upcoming: f"{upcoming.local:%a %Y-%m-%d %H:%M:%S %z}"),
    Column("NOTE", lambda upcoming: upcoming.note or "", folds=True),
)
