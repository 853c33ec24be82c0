"""The page of a run or a cron ticker that was deleted: who did it, when and why."""

from uuid import UUID

from werkzeug.wrappers import Response

from tickerq_dashboard.access.roles import Permission
from tickerq_dashboard.visits import Visit

_LOOKED_AT = 5


def gone(visit: Visit, kind: str, object_id: UUID, *, listing: str) -> Response | None:
    """Return the page of what was deleted, from its entry in the audit.

    None where there is no such entry, or the visitor may not see it: then it is as if it had never been.
    """
    if not visit.may(Permission.AUDIT_VIEW):
        return None
    found = visit.dashboard.tickerq.audit.find(
        object_kind=kind, object_id=str(object_id), outcome="done", limit=_LOOKED_AT
    )
    entry = next((each for each in found if each.action.endswith(".delete")), None)
    if entry is None:
        return None
    noun = kind.replace("_", " ")
    return visit.page("gone.html", clock=visit.clock(), status=410, noun=noun, entry=entry, page_here=listing)
