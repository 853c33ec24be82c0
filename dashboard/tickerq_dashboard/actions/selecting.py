"""Which runs a selection in a list means, and how many they are."""

from collections.abc import Mapping
from typing import Any

from tickerq_celery import TickerStatus
from tickerq_celery.enums import TERMINAL, UNENDED, Origin
from tickerq_celery.views import Count
from tickerq_dashboard.commands.bulk import Selection
from tickerq_dashboard.parsing import query_of
from tickerq_dashboard.payload_rights import check_filter
from tickerq_dashboard.rendering import url_for
from tickerq_dashboard.run_filters import RunsQuery
from tickerq_dashboard.show.bulk import MOST, meant
from tickerq_dashboard.show.bulk_filters import EVER
from tickerq_dashboard.show.moments import Clock
from tickerq_dashboard.show.words import plural
from tickerq_dashboard.visits import Visit

LISTS = {"active": "runs_active", "upcoming": "runs_upcoming", "history": "runs"}
_OF_LIST = {
    "active": UNENDED,
    "upcoming": frozenset({TickerStatus.IDLE}),
    "history": TERMINAL,
}


def count_of(visit: Visit, command: Selection) -> Count:
    """Return how many runs are meant, looking at 10,000 and no further."""
    if not command.all:
        return Count(len(set(command.ticked)))
    check_filter(visit, _query(command))
    if not _statuses(command):
        return Count(0)
    bulk = visit.dashboard.tickerq.bulk
    return bulk.count(command.action, as_of=command.as_of, limit=MOST, **criteria_of(command))


def criteria_of(command: Selection) -> Mapping[str, Any]:
    """Return which runs are meant, as criteria of the core."""
    if not command.all:
        return {"ids": command.ticked}
    query = _query(command)
    criteria = dict(query.criteria)
    if command.listing == "history" and not query.status:
        # Not by all of its statuses, of which a call is in none that was only published.
        criteria.setdefault("ended_from", EVER)
    else:
        criteria["status"] = _statuses(command)
    if command.listing == "upcoming":
        criteria["due_from"] = EVER
    if command.listing == "active":
        criteria["exclude"] = {"due_from": EVER}
    if command.action == "retry":
        # A record of missed instants has none of its own that could run.
        criteria["exclude"] = {"origin": Origin.MISFIRE}
    return criteria


def words_of(command: Selection, clock: Clock) -> str:
    """Return which runs are meant, as a sentence has it."""
    if not command.all:
        left_out = f", without {plural(command.left_out, 'record')} of missed instants"
        return "the runs that you ticked" + (left_out if command.left_out else "")
    chips = [f"{chip.name} {chip.value}" for chip in _query(command).chips(clock)]
    return meant(command.listing, ", ".join(chips))


def list_of(command: Selection) -> str:
    """Return the address of the list in which they were selected."""
    return url_for(f".{LISTS[command.listing]}", **_query(command).words)


def _statuses(command: Selection) -> list[TickerStatus]:
    """Return the statuses that the list has and its filter asks for; without one, no run is meant."""
    asked = _query(command).criteria.get("status") or list(TickerStatus)
    return sorted(set(asked) & _OF_LIST[command.listing])


def _query(command: Selection) -> RunsQuery:
    return query_of(command.filter, RunsQuery)
