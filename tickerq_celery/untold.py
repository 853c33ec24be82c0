"""Which of the instants that passed are still to be told of: those that have no occurrence."""

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

from sqlalchemy import Connection

from tickerq_celery.backfill import MOST_INSTANTS
from tickerq_celery.planner import Misfire, Passed
from tickerq_celery.store import instants


def untold(
    connection: Connection, cron_id: UUID, look: Callable[[int], Passed | None], *, at_most: int
) -> Misfire | None:
    """Return those of the instants that passed which have no occurrence, as a backfill has made none.

    ``look`` finds them, as many as it is told; see ``left_of`` for what becomes of the others.
    """
    seen = look(at_most)
    found = _left(connection, cron_id, seen)
    if seen is None or _is_sure(seen, found):
        return found
    # A backfill has filled in the first or the last: no more than it can fill is looked at for what is left.
    return left_of(connection, cron_id, look(MOST_INSTANTS))


def left_of(connection: Connection, cron_id: UUID, seen: Passed | None) -> Misfire | None:
    """Return those of the instants that passed which have no occurrence.

    Where not all were ``seen``, and the first or the last has its occurrence, the record is about everything
    from the first to the last: rather is an instant told twice than not at all.
    """
    found = _left(connection, cron_id, seen)
    if seen is None or _is_sure(seen, found):
        return found
    whole = Misfire(first=seen.instants[0], last=seen.instants[-1], count=1, count_is_exact=False)
    return whole if found is None else replace(whole, count=found.count)


def _left(connection: Connection, cron_id: UUID, seen: Passed | None) -> Misfire | None:
    return None if seen is None else seen.without(instants.taken_among(connection, cron_id, seen.instants))


def _is_sure(seen: Passed, found: Misfire | None) -> bool:
    """Whether nothing that was not seen can be missing from what was found."""
    if seen.is_whole:
        return True
    return found is not None and (found.first, found.last) == (seen.instants[0], seen.instants[-1])
