"""Store new occurrences with their chains, and find instants that have none."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from tickerq_celery.schedule.planner import MOST_INSTANTS, Misfire, Passed
from tickerq_celery.store import cron_tickers, occurrences
from tickerq_celery.store.database.batches import insert_rows
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.tables import tickers
from tickerq_celery.tickers.run_rows import occurrence_children


def store(
    tx: Transaction, cron: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], *, now: datetime
) -> None:
    """Insert occurrences of a locked cron ticker; those whose instant is there already stay as they are."""
    cron_tickers.add_occurrences(tx, rows)
    heads = {row["id"]: row for row in rows if row["has_children"]}
    # Where the instant had its occurrence already, ours was not stored, and that one has its chain.
    for head_id in cron_tickers.stored_among(tx, heads):
        insert_rows(tx, tickers, occurrence_children(cron, heads[head_id], now=now))


def untold(
    tx: Transaction, cron_id: UUID, look: Callable[[int], Passed | None], *, at_most: int
) -> Misfire | None:
    """Return those of the instants that passed which have no occurrence, as a backfill has made none.

    ``look`` finds them, as many as it is told; see ``left_of`` for what becomes of the others.
    """
    seen = look(at_most)
    found = _left(tx, cron_id, seen)
    if seen is None or _is_sure(seen, found):
        return found
    # A backfill has filled in the first or the last: no more than it can fill is looked at for what is left.
    return left_of(tx, cron_id, look(MOST_INSTANTS))


def left_of(tx: Transaction, cron_id: UUID, seen: Passed | None) -> Misfire | None:
    """Return those of the instants that passed which have no occurrence.

    Where not all were ``seen``, and the first or the last has its occurrence, the record is about everything
    from the first to the last: rather is an instant told twice than not at all.
    """
    found = _left(tx, cron_id, seen)
    if seen is None or _is_sure(seen, found):
        return found
    whole = Misfire(first=seen.instants[0], last=seen.instants[-1], count=1, count_is_exact=False)
    return whole if found is None else replace(whole, count=found.count)


def _left(tx: Transaction, cron_id: UUID, seen: Passed | None) -> Misfire | None:
    return None if seen is None else seen.without(occurrences.taken_among(tx, cron_id, seen.instants))


def _is_sure(seen: Passed, found: Misfire | None) -> bool:
    """Whether nothing that was not seen can be missing from what was found."""
    if seen.is_whole:
        return True
    return found is not None and (found.first, found.last) == (seen.instants[0], seen.instants[-1])
