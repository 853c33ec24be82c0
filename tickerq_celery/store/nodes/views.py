"""Beats and workers as people see them: state, what runs on them, which functions they have."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select

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
    "pruned_at", "pruned",
)  # fmt: skip
_OTHERS = (nodes.c.kind, nodes.c.queues, nodes.c.clock_at, nodes.c.definitions_hash)


def find(tx: Transaction, *, namespace: str | None, kind: NodeKind | None = None) -> list[NodeView]:
    """Return the nodes of a namespace, of all for None, sorted by kind and name: 1,000 at most.

    Of all, those of the transaction's own namespace are among them first.
    """
    where = [] if namespace is None else [nodes.c.namespace == namespace]
    columns = [*(nodes.c[name] for name in _SHOWN), *_OTHERS, tx.sql_now().label("now")]
    in_order = (nodes.c.namespace != tx.namespace, nodes.c.kind, nodes.c.name, nodes.c.id)
    rows = tx.execute(select(*columns).where(*where).order_by(*in_order).limit(_MOST)).all()
    sets = definitions(tx, {row.definitions_hash: row.id for row in rows})
    running = _running(tx)
    views = [_view(row, tuple(sets[row.definitions_hash]), running.get(row.id, 0)) for row in rows]
    found = [each for each in _with_missing(views) if kind is None or each.kind is kind]
    return sorted(found, key=lambda each: (each.kind, each.name, each.id))


@dataclass(frozen=True, slots=True, kw_only=True)
class DefinitionSet:
    """Functions, each with its definition, and the nodes that define them all so."""

    nodes: Collection[UUID]
    digests: Mapping[str, str]


def definition_sets(tx: Transaction, ids: Collection[UUID]) -> list[DefinitionSet]:
    """Return the different sets of functions that nodes have."""
    by_hash: dict[str, list[UUID]] = defaultdict(list)
    rows = tx.execute(select(nodes.c.definitions_hash, nodes.c.id).where(nodes.c.id.in_(ids)))
    for row in rows:
        by_hash[row.definitions_hash].append(row.id)
    found = definitions(tx, {each: its[0] for each, its in by_hash.items()})
    return [DefinitionSet(nodes=its, digests=found[each]) for each, its in by_hash.items() if each in found]


def definitions(tx: Transaction, node_of_hash: Mapping[str, UUID]) -> dict[str, dict[str, str]]:
    """Return for each hash the functions that a node of it has, with how it defines each.

    One node is read of each hash: workers are many, and the versions of their code are few.
    """
    rows = tx.execute(
        select(nodes.c.definitions_hash, nodes.c.definitions).where(nodes.c.id.in_(node_of_hash.values()))
    )
    found: dict[str, dict[str, str]] = {row.definitions_hash: row.definitions for row in rows}
    for each in node_of_hash.keys() - found.keys():
        # That node has gone since its hash was read; others of it may be there.
        same = select(nodes.c.definitions).where(nodes.c.definitions_hash == each).limit(1)
        found[each] = tx.scalars(same).one_or_none() or {}
    return found


def _running(tx: Transaction) -> dict[UUID, int]:
    """Return how many runs are InProgress on each node of the store: no more than the pools take."""
    # With a list of nodes SQLite would read the index from end to end, with all runs that have ended.
    rows = tx.execute(
        select(tickers.c.running_on, func.count().label("number"))
        .where(active_runs.IS_RUNNING)
        .group_by(tickers.c.running_on)
    )
    return {row.running_on: row.number for row in rows}


def state_in(row: Row[Any]) -> NodeState:
    """Return the state of a node by its row, which has the database's time as ``now``."""
    return state_of(
        row.now - row.seen_at,
        heartbeat=row.heartbeat,
        lease=row.lease,
        is_stopping=row.stopping_since is not None,
    )


def _view(row: Row[Any], functions: tuple[str, ...], running: int) -> NodeView:
    silent_for = max(timedelta(0), row.now - row.seen_at)
    return NodeView(
        **{name: getattr(row, name) for name in _SHOWN},
        kind=NodeKind(row.kind),
        queues=tuple(row.queues),
        state=state_in(row),
        silent_for=silent_for,
        clock_offset=row.clock_at - row.seen_at,
        running=running,
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
