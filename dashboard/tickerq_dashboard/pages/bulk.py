"""The pages of bulk jobs: the list, and one with how far beat has got."""

from uuid import UUID

from werkzeug.wrappers import Response

from tickerq_dashboard.access.roles import Permission
from tickerq_dashboard.filters import ListQuery
from tickerq_dashboard.show.bulk import job_share
from tickerq_dashboard.visits import Visit


def bulk_jobs(visit: Visit, query: ListQuery) -> Response:
    """Show the bulk jobs, the newest first."""
    reader, marks = visit.dashboard.reader, visit.dashboard.cursors
    cursor = None if query.cursor is None else marks.opened(query.cursor)
    page = reader.bulk_jobs(cursor)
    return visit.page(
        "bulk_jobs.html", clock=visit.clock(), page=page, query=query, older=marks.signed(page.next_cursor)
    )


def bulk_job(visit: Visit, job_id: UUID) -> Response:
    """Show one bulk job: what it does to which runs, how far it is, and what it has skipped and why."""
    found = visit.dashboard.reader.bulk_job(job_id)
    return visit.page(
        "bulk_job.html",
        clock=visit.clock(),
        job=found.job,
        share=job_share(found.job),
        may_stop=visit.may(Permission.RUNS_CANCEL),
        audit=found.audit if visit.may(Permission.AUDIT_VIEW) else (),
    )
