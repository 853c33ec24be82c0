"""The command ``rollup``: count hours of the roll-up anew."""

from datetime import datetime

import click

from tickerq_celery.cli import cells
from tickerq_celery.cli.shell import Shell, command
from tickerq_celery.cli.words import Moment


@command("rollup", acts=True)
@click.option("--since", type=Moment(), required=True, help="The first hour, or how long ago it was.")
@click.option("--until", type=Moment(), help="Where to end; the last hour that is counted, otherwise.")
@click.option("--reason", help="Why, for the audit.")
def rollup(shell: Shell, since: datetime, until: datetime | None, reason: str | None) -> None:
    """Count the ends of past hours anew, from the runs that are there."""
    done = shell.managers.stats.rebuild(since, until, reason=reason)

    def show() -> None:
        for each in done.changed:
            shell.output.line(f"{cells.moment(each.hour)}  ends: {each.ends:,}, before: {each.ends_before:,}")
        differing = f"{len(done.changed):,} of {done.hours:,} hours differ"
        shell.output.line(f"ends counted anew: {done.ends:,}; {differing}")

    shell.output.value(done, show)
