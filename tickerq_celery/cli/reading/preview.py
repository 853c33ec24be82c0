"""``preview EXPRESSION``: when it fires, and what its writer may not expect."""

from collections.abc import Sequence
from datetime import datetime

import click

from tickerq_celery.cli import cells
from tickerq_celery.cli.application import Application
from tickerq_celery.cli.output import Output
from tickerq_celery.cli.shell import plain_command
from tickerq_celery.cli.tables import Column
from tickerq_celery.cli.words import Moment
from tickerq_celery.clock import SystemClock
from tickerq_celery.schedule.preview import Explanation, Upcoming, explain


@plain_command("preview")
@click.argument("expression")
@click.option(
    "--time-zone", metavar="NAME", help="Such as Europe/Berlin; else that of the application, else UTC."
)
@click.option(
    "--count", default=10, show_default=True, type=click.IntRange(1, 1000), help="How many instants."
)
@click.option("--after", type=Moment(), help="From this moment on; else now.")
@click.option("--day-or", is_flag=True, help="Fire on days that match either day field, as Unix does.")
def preview(
    application: Application,
    output: Output,
    expression: str,
    time_zone: str | None,
    count: int,
    after: datetime | None,
    day_or: bool,
) -> None:
    """Show when an expression fires.

    It is a cron expression or an interval; notes say what changes of the clocks do to it. No application is
    needed.
    """
    if time_zone is None:
        tickerq = application.if_named()
        time_zone = "UTC" if tickerq is None else tickerq.config.time_zone
    start = SystemClock().now() if after is None else after
    found = explain(expression, time_zone=time_zone, after=start, count=count, day_or=day_or)
    output.value(found, lambda: _write(output, found))


def _write(output: Output, found: Explanation) -> None:
    output.line(f"{found.expression} in {found.time_zone}", bold=True)
    output.line(f"{found.words}.")
    for warning in found.warnings:
        output.line(f"warning: {warning}", fg="yellow")
    output.listing(found.upcoming, _COLUMNS, empty="no instant comes")


_COLUMNS: Sequence[Column[Upcoming]] = (
    Column("INSTANT", lambda upcoming: cells.moment(upcoming.instant)),
    Column("LOCAL", lambda upcoming: f"{upcoming.local:%a %Y-%m-%d %H:%M:%S %z}"),
    Column("NOTE", lambda upcoming: upcoming.note or "", folds=True),
)
