"""What is below a run in its chain, as the children of a new ticker."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from tickerq_celery.managers.time_tickers.edits import as_ticker
from tickerq_celery.payload.codec import RequestCodec
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.runs import chain_trees, runs
from tickerq_celery.tickers.inputs import TimeTicker
from tickerq_celery.tickers.views import Run


def runs_below(tx: Transaction, ticker_id: UUID, *, codec: RequestCodec) -> list[Run]:
    """Return all that is below a run, each after its parent."""
    ids = chain_trees.below(tx, ticker_id)
    found = runs.get_all(tx, ids, codec=codec)
    return [found[each] for each in ids if each in found]


def as_children(below: Sequence[Run], head: UUID, *, now: datetime) -> tuple[TimeTicker, ...]:
    """Return what is below a ``head`` as children of a new ticker; parents come first in ``below``.

    With their run conditions and requests, without unique keys, and without moments that have passed.

    Raises:
        UnreadableRequestError: The request of one cannot be read here.
    """
    children: dict[UUID, list[TimeTicker]] = {}
    for run in reversed(below):
        own = children.pop(run.id, [])
        at = run.execution_time
        copied = replace(
            as_ticker(run, but=()),
            run_condition=run.run_condition,
            execution_time=None if at is None or at <= now else at,
            unique_key=None,
            children=tuple(reversed(own)),
        )
        if run.parent_id is not None:
            children.setdefault(run.parent_id, []).append(copied)
    return tuple(reversed(children.get(head, [])))
