"""The reasons that records of instants without an occurrence are stored with."""

import re
from dataclasses import dataclass
from datetime import datetime

from tickerq_celery.schedule.planner import Misfire

# How the record of an outage begins, and no other.
MISSED = "Missed: "
_MISSED = re.compile(
    rf"{MISSED}(?P<least>at least )?(?P<count>\d+) instants? from (?P<first>\S+) .*\(policy (?P<policy>\w+)\)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MissedInstants:
    """How many instants a record of an outage stands for, the first, and by which policy they did not run."""

    count: int
    is_exact: bool
    first: datetime
    policy: str


def missed_in(said: str) -> MissedInstants | None:
    """Return what the record of an outage says of its instants; None where it says nothing of the kind."""
    found = _MISSED.match(said)
    if found is None:
        return None
    return MissedInstants(
        count=int(found["count"]),
        is_exact=found["least"] is None,
        first=datetime.fromisoformat(found["first"]),
        policy=found["policy"],
    )


def who_and_why(by: str | None, reason: str | None) -> str:
    """Return the end of a line about what an operator did: ``" by ann: bank holiday"``, or what is known."""
    who = "" if by is None else f" by {by}"
    why = "" if reason is None else f": {reason}"
    return f"{who}{why}"


def misfire_reason(misfire: Misfire, policy: str) -> str:
    """Return what is said of the instants of an outage: how many were missed, from when to when."""
    them = "it" if misfire.count == 1 else "them"
    return f"{MISSED}{_span(misfire)} passed while nothing could run {them} (policy {policy})"


def pause_reason(misfire: Misfire, *, by: str | None, reason: str | None) -> str:
    """Return what is said of the instants that passed in a pause."""
    return f"Paused: {_span(misfire)} passed in a pause{who_and_why(by, reason)}"


def edit_reason(misfire: Misfire, expression: str) -> str:
    """Return what is said of the instants of an expression that was changed before they fired."""
    return f"Edited: {_span(misfire)} had not fired when {expression!r} was changed"


def bounds_reason(misfire: Misfire) -> str:
    """Return what is said of the instants that new bounds left out before they fired."""
    return f"Edited: {_span(misfire)} had not fired when the cron ticker's new bounds left them out"


def _span(misfire: Misfire) -> str:
    count = f"{misfire.count}" if misfire.count_is_exact else f"at least {misfire.count}"
    noun = "instant" if misfire.count == 1 else "instants"
    return f"{count} {noun} from {misfire.first.isoformat()} to {misfire.last.isoformat()}"
