"""Beats and workers as people see them: state, what runs on them, which functions they have."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, Subquery, case, func, select

from tickerq_celery.enums import NodeKind
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.reading import active_runs
from tickerq_celery.store.tables import nodes, tickers
from tickerq_celery.tickers.node_views import NodeState, NodeView, state_of

_MOST = 1_000
# The columns that a view has as they are.
_SHOWN = (
    "id", "namespace", "name", "host", "pid", "version", "broker", "pool", "concurrency", "prefetch",
    "memory", "heartbeat", "lease", "started_at", "seen_at", "stopping_since", "ticked_at", "claimed",
    "pruned_at", "pruned", "refusal", "refused_since", "refused_at",
)  # fmt: skip
_OTHERS = (nodes.c.kind, nodes.c.queues, nodes.c.clock_at)


def find(tx: Transaction, *, namespace: str | None, kind: NodeKind | None = None) -> list[NodeView]:
    """Return the nodes of a namespace, of all for None, sorted by kind and name: 1,000 at most.

    Of all, those of the transaction's own namespace are among them first.
    """
    where = [] if namespace is None else [nodes.c.namespace == namespace]
    running = _running()
    columns = [
        *(nodes.c[name] for name in _SHOWN),
        *_OTHERS,
        func.coalesce(running.c.number, 0).label("running"),
        tx.sql_now().label("now"),
    ]
    in_order = (nodes.c.namespace != tx.namespace, nodes.c.kind, nodes.c.name, nodes.c.id)
    statement = with_definitions(columns, where, in_order)
    rows = tx.execute(statement.outerjoin(running, running.c.running_on == nodes.c.id)).all()
    sets = definitions_in(rows)
    views = [_view(row, tuple(sets[row.definitions_hash])) for row in rows]
    found = [each for each in _with_missing(views) if kind is None or each.kind is kind]
    return sorted(found, key=lambda each: (each.kind, each.name, each.id))


def with_definitions(
    columns: Sequence[ColumnElement[Any]],
    which: Sequence[ColumnElement[bool]],
    in_order: Sequence[ColumnElement[Any]],
) -> Select[*tuple[Any, ...]]:
    """Return a query of columns of nodes in an order, as ``definitions_in`` reads it: 1,000 at most.

    Of each hash the first one brings its functions: workers are many, and the versions of their code are few.
    """
    number = func.row_number().over(partition_by=nodes.c.definitions_hash, order_by=in_order)
    numbered = select(nodes.c.id, number.label("number")).where(*which).subquery()
    own = case((numbered.c.number == 1, nodes.c.definitions)).label("its_definitions")
    found = select(*columns, nodes.c.definitions_hash, own).join_from(
        nodes, numbered, numbered.c.id == nodes.c.id
    )
    return found.order_by(*in_order).limit(_MOST)


def definitions_in(rows: Sequence[Row[Any]]) -> dict[str, Mapping[str, str]]:
    """Return for each hash the functions that nodes of it have, with how they define each."""
    return {row.definitions_hash: row.its_definitions for row in rows if row.its_definitions is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class DefinitionSet:
    """Functions, each with its definition, and the nodes that define them all so."""

    nodes: Collection[UUID]
    digests: Mapping[str, str]


def definition_sets(tx: Transaction, ids: Collection[UUID]) -> list[DefinitionSet]:
    """Return the different sets of functions that nodes have."""
    by_hash: dict[str, list[UUID]] = defaultdict(list)
    rows = tx.execute(with_definitions([nodes.c.id], [nodes.c.id.in_(ids)], [nodes.c.id])).all()
    for row in rows:
        by_hash[row.definitions_hash].append(row.id)
    found = definitions_in(rows)
    return [DefinitionSet(nodes=its, digests=found[each]) for each, its in by_hash.items()]


def _running() -> Subquery:
    """Return how many runs are InProgress on each node of the store: no more than the pools take."""
    # With a list of nodes SQLite would read the index from end to end, with all runs that have ended.
    return (
        select(tickers.c.running_on, func.count().label("number"))
        .where(active_runs.IS_RUNNING)
        .group_by(tickers.c.running_on)
        .subquery()
    )


def state_in(row: Row[Any]) -> NodeState:
    """Return the state of a node by its row, which has the database's time as ``now``."""
    return state_of(
        row.now - row.seen_at,
        heartbeat=row.heartbeat,
        lease=row.lease,
        is_stopping=row.stopping_since is not None,
    )


def _view(row: Row[Any], functions: tuple[str, ...]) -> NodeView:
    silent_for = max(timedelta(0), row.now - row.seen_at)
    return NodeView(
        **{name: getattr(row, name) for name in _SHOWN},
        kind=NodeKind(row.kind),
        queues=tuple(row.queues),
        state=state_in(row),
        silent_for=silent_for,
        clock_offset=row.clock_at - row.seen_at,
        running=row.running,
        functions=functions,
        missing_functions=(),
    )


def _with_missing(views: Sequence[NodeView]) -> list[NodeView]:
    """Return views that say which functions other live workers of their namespace have, and they have not."""
    known: dict[str, set[str]] = defaultdict(set)
    for view in views:
        if view.takes_runs:
            known[view.namespace].update(view.functions)
    return [
        replace(view, missing_functions=tuple(sorted(known[view.namespace].difference(view.functions))))
        if view.kind is NodeKind.WORKER
        else view
        for view in views
    ]
