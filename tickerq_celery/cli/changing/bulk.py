"""``bulk list``, ``bulk show``, ``bulk stop``: bulk jobs, which retry, cancel and delete make by filters."""

from uuid import UUID

import click

from tickerq_celery.cli.changing.selection import reason_option
from tickerq_celery.cli.ids import TickerId
from tickerq_celery.cli.job_details import JOB_COLUMNS, write_job
from tickerq_celery.cli.shell import Shell, command
from tickerq_celery.cli.words import Word
from tickerq_celery.enums import BulkAction, BulkState


@click.group("bulk", short_help="List, show and stop bulk jobs")
def bulk() -> None:
    """Look at bulk jobs, and stop them; retry, cancel and delete start them."""


@command("list")
@click.option("--action", type=Word(BulkAction), help="That do this.")
@click.option("--state", type=Word(BulkState), help="In this state.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000), help="How many.")
@click.option("--cursor", help="Go on where a page ended.")
def list_jobs(
    shell: Shell, action: BulkAction | None, state: BulkState | None, limit: int, cursor: str | None
) -> None:
    """List bulk jobs, the newest first."""
    page = shell.managers.bulk.find(action=action, state=state, limit=limit, cursor=cursor)
    shell.output.listing(page, JOB_COLUMNS, empty="no bulk jobs")


@command("show")
@click.argument("job_id", metavar="ID", type=TickerId())
def show_job(shell: Shell, job_id: UUID) -> None:
    """Show a bulk job: how far it is, and what it skipped and why."""
    job = shell.managers.bulk.get(job_id)
    shell.output.value(job, lambda: write_job(shell.output, job))


@command("stop", acts=True)
@click.argument("job_id", metavar="ID", type=TickerId())
@reason_option
def stop_job(shell: Shell, job_id: UUID, reason: str | None) -> None:
    """Stop a bulk job after its current batch; what it has changed stays changed."""
    job = shell.managers.bulk.stop(job_id, reason=reason)
    shell.output.value(job, lambda: write_job(shell.output, job))


for each in (list_jobs, show_job, stop_job):
    bulk.add_command(each)
