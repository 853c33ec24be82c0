"""Runs in progress on nodes that give no sign of life, by the node."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.reading import active_runs
from tickerq_celery.store.tables import tickers
from tickerq_celery.tickers.counts import MOST_COUNTED

_T = tickers.c


@dataclass(frozen=True, slots=True, kw_only=True)
class OrphanedRun:
    """A run that is in progress on a node which gives no sign of life."""

    id: UUID
    function: str
    description: str | None
    started_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningOn:
    """How many runs are in progress on a node, and the ``first``; ``name`` is what they have of the node."""

    node_id: UUID
    name: str
    runs: int
    first: OrphanedRun


def running_on(tx: Transaction, *, present: Collection[UUID], most: int) -> list[RunningOn]:
    """Return up to ``most`` nodes on which runs are in progress, but those ``present``; also without a row.

    They are looked for among the first runs that are in progress.
    """
    some = (
        select(_T.namespace, _T.running_on, _T.lock_holder)
        .where(active_runs.IS_RUNNING)
        .order_by(_T.running_on)
        .limit(MOST_COUNTED)
        .subquery()
    )
    rows = tx.execute(
        select(some.c.running_on, func.min(some.c.lock_holder), func.count())
        .where(some.c.namespace == tx.namespace)
        .group_by(some.c.running_on)
        .order_by(some.c.running_on)
    )
    gone = [row for row in rows if row.running_on not in present][:most]
    first = _first_on(tx, [row.running_on for row in gone])
    return [
        RunningOn(node_id=node, name=name or str(node), runs=runs, first=first[node])
        for node, name, runs in gone
        if node in first
    ]


def _first_on(tx: Transaction, nodes: Collection[UUID]) -> dict[UUID, OrphanedRun]:
    if not nodes:
        return {}
    position = func.row_number().over(partition_by=_T.running_on, order_by=(_T.started_at, _T.id))
    ranked = (
        select(_T.running_on, _T.id, _T.function, _T.description, _T.started_at, position.label("position"))
        .where(_T.running_on.in_(list(nodes)), active_runs.own(tx))
        .subquery()
    )
    rows = tx.execute(select(*ranked.c).where(ranked.c.position == 1))
    return {
        row.running_on: OrphanedRun(
            id=row.id, function=row.function, description=row.description, started_at=row.started_at
        )
        for row in rows
    }
