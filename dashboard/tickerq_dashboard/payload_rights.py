"""Who may see and send payloads, whichever way a command comes."""

from tickerq_dashboard.access.roles import ForbiddenError, Permission
from tickerq_dashboard.commands.work import Work
from tickerq_dashboard.run_filters import RunFilters
from tickerq_dashboard.visits import Visit


def may_change_payload(visit: Visit) -> bool:
    """Return whether a form shows payloads, which it then changes; one that shows none leaves them."""
    return visit.may(Permission.PAYLOAD_EDIT) and visit.may(Permission.PAYLOAD_VIEW)


def check_payload(visit: Visit, command: Work | None, action: str) -> None:
    """Let one who may not edit payloads send none; that is recorded as the ``action``.

    Raises:
        ForbiddenError: There is one.
    """
    if command is None or not command.has_payload or visit.may(Permission.PAYLOAD_EDIT):
        return
    error = ForbiddenError(Permission.PAYLOAD_EDIT)
    visit.dashboard.tickerq.acting_as(visit.actor()).audit.record(action, "refused", error=str(error))
    raise error


def check_filter(visit: Visit, filters: RunFilters | None) -> None:
    """Let one whom no page shows what errors say find no runs by it either: letter by letter, that reads it.

    Raises:
        ForbiddenError: The filter has such a text.
    """
    if filters is not None and filters.error and not visit.may(Permission.PAYLOAD_VIEW):
        raise ForbiddenError(Permission.PAYLOAD_VIEW)
