"""Bulk jobs as people read them."""

from collections.abc import Sequence

from tickerq_celery.cli import cells
from tickerq_celery.cli.output import Output
from tickerq_celery.cli.tables import Column
from tickerq_celery.tickers.bulk import BulkJob


def write_job(output: Output, job: BulkJob) -> None:
    """Write a job with what it was to do, how far it is, and what it skipped and why."""
    output.details(
        {
            "Job": str(job.id),
            "Action": str(job.action),
            "Runs": job.what,
            "As of": cells.moment(job.as_of),
            "State": str(job.state),
            "Changed": f"{job.changed:,}",
            "Skipped": f"{job.skipped:,}",
            "Error": job.error,
            "Started by": " for ".join(each for each in (job.actor, job.said_by) if each),
            "Reason": job.reason,
            "Added": cells.moment(job.created_at),
            "Started": cells.moment(job.started_at),
            "Ended": cells.moment(job.ended_at),
        }
    )
    for skip in job.skips:
        output.line(f"skipped {skip.count:,}: {skip.reason}")
        output.line(f"    such as {', '.join(map(str, skip.examples))}")


JOB_COLUMNS: Sequence[Column[BulkJob]] = (
    Column("ID", lambda job: str(job.id)),
    Column("STATE", lambda job: str(job.state)),
    Column("ACTION", lambda job: str(job.action)),
    Column("CHANGED", lambda job: f"{job.changed:,}", is_number=True),
    Column("SKIPPED", lambda job: f"{job.skipped:,}", is_number=True),
    Column("ADDED", lambda job: cells.moment(job.created_at)),
    Column("BY", lambda job: job.actor),
    Column("RUNS", lambda job: job.what, folds=True),
)
