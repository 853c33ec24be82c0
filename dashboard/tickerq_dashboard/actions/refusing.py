"""Show why something was not done: the present state in words, who did something last, and where to go on."""

from collections.abc import Sequence
from typing import NamedTuple

from werkzeug.wrappers import Response

from tickerq_celery.views import AuditEntry
from tickerq_dashboard.access.roles import Permission
from tickerq_dashboard.show.outcomes import Refusal
from tickerq_dashboard.visits import Visit


class Way(NamedTuple):
    """Where a page leads: the words of the link, and its address."""

    word: str
    address: str


def refused(
    visit: Visit, refusal: Refusal, *, title: str, here: str, ways: Sequence[Way], before: AuditEntry | None
) -> Response:
    """Return the page of a refusal; ``here`` is the page of the side bar that it belongs to."""
    return visit.page(
        "refused.html",
        clock=visit.clock(),
        status=refusal.status,
        title_words=title,
        page_here=here,
        sentence=refusal.sentence,
        ways=ways,
        before=before,
    )


def last_done(visit: Visit, kind: str, object_id: object) -> AuditEntry | None:
    """Return what was last done to an object, for those who may see the audit."""
    if not visit.may(Permission.AUDIT_VIEW):
        return None
    found = visit.dashboard.tickerq.audit.find(
        object_kind=kind, object_id=str(object_id) or None, outcome="done", limit=1
    )
    return next(iter(found), None)
