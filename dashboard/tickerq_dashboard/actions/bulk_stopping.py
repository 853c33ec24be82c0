"""Stop what was started on many runs."""

from uuid import UUID

from flask import redirect
from werkzeug.wrappers import Response

from tickerq_celery.errors import TickerError, TickerStateError
from tickerq_dashboard.actions.refusing import Way, last_done, refused
from tickerq_dashboard.commands.bulk import StopBulk
from tickerq_dashboard.rendering import url_for
from tickerq_dashboard.show.outcomes import Refusal, plain_refusal_of
from tickerq_dashboard.visits import Visit


def stop_bulk(visit: Visit, command: StopBulk, job_id: UUID) -> Response:
    """End a job after its current batch, and lead to its page."""
    did = str(command.operation_id)
    bulk = visit.dashboard.tickerq.acting_as(visit.actor(did)).bulk
    try:
        bulk.stop(job_id, reason=command.reason)
    except TickerStateError as error:
        refusal = Refusal(status=409, sentence=f"Not stopped: the bulk job is {error.status}.")
    except TickerError as error:
        found = plain_refusal_of(error, "Not stopped", "bulk job", visit.clock())
        if found is None:
            raise
        refusal = found
    else:
        return redirect(url_for(".bulk_job", job_id=job_id, did=did), 303)
    ways = [Way("See the bulk jobs", url_for(".bulk_jobs"))]
    if refusal.status != 404:
        ways.insert(0, Way("Open the bulk job", url_for(".bulk_job", job_id=job_id)))
    before = last_done(visit, "bulk_job", job_id)
    return refused(visit, refusal, title="Not stopped", here="bulk_jobs", ways=ways, before=before)
