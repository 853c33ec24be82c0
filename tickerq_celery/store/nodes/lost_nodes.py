"""Nodes that were found dead: recorded when their row is removed, and marked if they come back."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, bindparam, delete, func, insert, literal, select, update

from tickerq_celery.enums import NodeKind
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.tables import lost_nodes, nodes
from tickerq_celery.tickers.node_views import LostNode

_KEPT = timedelta(days=30)
# What its row says of a node, whatever became of it.
_COPIED = (
    "id", "namespace", "kind", "name", "host", "pid", "version", "queues", "started_at", "seen_at",
    "stopping_since",
)  # fmt: skip


def record(tx: Transaction, node_id: UUID, *, found_by: str) -> None:
    """Keep what the row of a dead node says, which this transaction removes."""
    copied = select(
        *(nodes.c[name] for name in _COPIED),
        tx.sql_now().label("found_at"),
        literal(found_by).label("found_by"),
    ).where(nodes.c.id == node_id)
    tx.execute(insert(lost_nodes).from_select([*_COPIED, "found_at", "found_by"], copied))


def mark_returned(tx: Transaction, node_id: UUID) -> None:
    """Note that a node that was found dead has registered again."""
    tx.execute(
        update(lost_nodes)
        .where(lost_nodes.c.id == node_id, lost_nodes.c.returned_at.is_(None))
        .values(returned_at=tx.sql_now())
    )


def find(
    tx: Transaction, *, namespace: str | None, limit: int, kind: NodeKind | None = None
) -> list[LostNode]:
    """Return the nodes of a namespace, of all for None, that were found dead; the latest first."""
    where = [] if namespace is None else [lost_nodes.c.namespace == namespace]
    if kind is not None:
        where.append(lost_nodes.c.kind == kind.value)
    newest = (lost_nodes.c.found_at.desc(), lost_nodes.c.id.desc())
    return [_lost(row) for row in tx.execute(select(lost_nodes).where(*where).order_by(*newest).limit(limit))]


def remove_old(tx: Transaction, limit: int) -> int:
    """Delete what is known of nodes that were found dead 30 days ago or longer; return how many."""
    key = list(lost_nodes.primary_key.columns)
    old = select(*key).where(*_is_old(tx)).order_by(lost_nodes.c.found_at, lost_nodes.c.id).limit(limit)
    found = tx.execute(old.with_for_update(skip_locked=True)).mappings()
    keys = [{f"its_{name}": value for name, value in row.items()} for row in found]
    if keys:
        # One by one: MariaDB looks at every row, locked or not, where a list of keys is wanted.
        its_key = (column == bindparam(f"its_{column.name}") for column in key)
        tx.execute(delete(lost_nodes).where(*its_key), keys)
    return len(keys)


def count_old(tx: Transaction) -> int:
    """Return how many rows ``remove_old`` would delete."""
    return tx.scalars(select(func.count()).select_from(lost_nodes).where(*_is_old(tx))).one()


def _is_old(tx: Transaction) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return lost_nodes.c.namespace == tx.namespace, lost_nodes.c.found_at < tx.sql_after(-_KEPT)


def _lost(row: Row[Any]) -> LostNode:
    values = row._asdict()
    return LostNode(**{**values, "kind": NodeKind(row.kind), "queues": tuple(row.queues)})
