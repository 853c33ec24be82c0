"""Do one thing to many runs: say which and how many, and start the job that does it."""

from collections.abc import Callable

from flask import redirect
from werkzeug.wrappers import Response

from tickerq_celery.errors import QueryTooWideError, TickerError
from tickerq_celery.views import Count
from tickerq_dashboard.access.roles import ForbiddenError, Permission
from tickerq_dashboard.actions.refusing import Way, refused
from tickerq_dashboard.actions.selecting import count_of, criteria_of, list_of, words_of
from tickerq_dashboard.commands.bulk import Selection, StartBulk
from tickerq_dashboard.rendering import url_for
from tickerq_dashboard.show.bulk import BY_ACTION, TYPED_ABOVE, BulkVerb, counted_runs, is_large, too_large
from tickerq_dashboard.show.outcomes import Refusal, plain_refusal_of
from tickerq_dashboard.visits import Visit

LOOKED_AT = 20
_TOO_MANY = "these are too many to count. Narrow the filter"
_NONE = "no run matches to which that can be done"


def ask_bulk(visit: Visit, command: Selection) -> Response:
    """Show what will be done to how many runs, with the form that starts it."""
    verb = BY_ACTION[command.action]
    if not visit.may(verb.permission):
        raise ForbiddenError(verb.permission)
    return _asked(visit, verb, command)


def starting(verb: BulkVerb) -> Callable[..., Response]:
    """Return what starts a job of one action, and leads to its page."""

    def start(visit: Visit, command: StartBulk) -> Response:
        if command.action != verb.action or command.is_empty:
            return _asked(visit, verb, command)
        did = str(command.operation_id)
        before = _started_before(visit, command)
        if before is not None:
            return redirect(url_for(".bulk_job", job_id=before, did=did), 303)
        bulk = visit.dashboard.tickerq.acting_as(visit.actor(did)).bulk
        try:
            count = count_of(visit, command)
            error = _objection(command, count)
            if error or not count.number:
                return _asked(visit, verb, command, error)
            if is_large(count) and not visit.may(Permission.BULK_LARGE):
                return _too_large(visit, verb, command, count)
            job = bulk.start(
                verb.action,
                as_of=command.as_of,
                reason=command.reason,
                **criteria_of(command),
            )
        except TickerError as error:
            refusal = plain_refusal_of(error, verb.undone, "list of runs", visit.clock())
            if refusal is None:
                raise
            return _refused(visit, verb, command, refusal)
        return redirect(url_for(".bulk_job", job_id=job.id, did=did), 303)

    return start


def _asked(visit: Visit, verb: BulkVerb, command: Selection, error: str = "") -> Response:
    if command.is_empty:
        return _refused(visit, verb, command, _nothing(verb, "no run is ticked"))
    try:
        count = count_of(visit, command)
    except QueryTooWideError:
        return _refused(visit, verb, command, _nothing(verb, _TOO_MANY))
    if not count.number:
        nothing = _nothing(verb, _TOO_MANY) if count.is_partial else _nothing(verb, _NONE, 409)
        return _refused(visit, verb, command, nothing)
    if is_large(count) and not visit.may(Permission.BULK_LARGE):
        return _too_large(visit, verb, command, count)
    return visit.page(
        "ask_bulk.html",
        clock=visit.clock(),
        status=422 if error else 200,
        verb=verb,
        selection=command,
        count=count.number,
        counted=counted_runs(count),
        meant=words_of(command, visit.clock()),
        must_type=f"{count.number:,}" if count.number > TYPED_ABOVE else None,
        back=list_of(command),
        error=error,
        reason=command.reason if isinstance(command, StartBulk) else None,
    )


def _started_before(visit: Visit, command: StartBulk) -> str | None:
    """Return the job of a form that is sent again: it may have left none that can still be counted."""
    latest = visit.dashboard.tickerq.audit.find(
        actor=visit.actor().name, action="bulk.start", object_kind="bulk_job", limit=LOOKED_AT
    )
    return next((each.object_id for each in latest if each.id == command.operation_id), None)


def _objection(command: StartBulk, count: Count) -> str:
    """Return why a number must be looked at again: there are more than was said, or it was not typed."""
    if count.number > command.shown:
        return f"By now there are {count}."
    is_typed = command.typed.replace(",", "").replace("+", "").strip() == str(command.shown)
    return "" if command.shown <= TYPED_ABOVE or is_typed else f"Type {command.shown:,} as it stands here."


def _nothing(verb: BulkVerb, why: str, status: int = 422) -> Refusal:
    return Refusal(status=status, sentence=f"{verb.undone}: {why}.")


def _too_large(visit: Visit, verb: BulkVerb, command: Selection, count: Count) -> Response:
    error = ForbiddenError(Permission.BULK_LARGE)
    visit.dashboard.tickerq.acting_as(visit.actor()).audit.record("bulk.start", "refused", error=str(error))
    why = f"{too_large(count)}. Narrow the filter, or ask an admin"
    return _refused(visit, verb, command, _nothing(verb, why, 403))


def _refused(visit: Visit, verb: BulkVerb, command: Selection, refusal: Refusal) -> Response:
    ways = [Way("Back to the list", list_of(command)), Way("See the bulk jobs", url_for(".bulk_jobs"))]
    return refused(visit, refusal, title=verb.undone, here="runs", ways=ways, before=None)
