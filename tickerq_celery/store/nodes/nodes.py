"""Rows of beats and workers: their heartbeats, and what each can run."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    delete,
    exists,
    func,
    insert,
    select,
    type_coerce,
    update,
)

from tickerq_celery.enums import NodeKind
from tickerq_celery.functions.limits import FunctionLimits, limits_from
from tickerq_celery.store.database.transaction import Transaction, rowcount
from tickerq_celery.store.nodes import lost_nodes
from tickerq_celery.store.nodes.vitals import Vitals, signs_of
from tickerq_celery.store.tables import nodes, tickers


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeProfile:
    """What a process writes in its row.

    ``functions`` maps the name of each function to its limits, ``definitions`` to a digest of its definition.
    ``broker`` is where its messages are; ``entries`` are the seed keys of the entries of a beat, None for a
    worker.
    """

    id: UUID
    namespace: str
    kind: NodeKind
    name: str
    host: str
    pid: int
    version: str
    queues: Sequence[str] = ()
    broker: str | None = None
    pool: str | None = None
    concurrency: int | None = None
    prefetch: int | None = None
    heartbeat: timedelta
    lease: timedelta
    entries: Sequence[str] | None = None
    functions: Mapping[str, FunctionLimits]
    definitions: Mapping[str, str]


_UNKNOWN = Vitals()


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A beat or worker as the store knows it."""

    id: UUID
    namespace: str
    kind: NodeKind
    name: str
    host: str
    pid: int
    version: str
    queues: tuple[str, ...]
    broker: str | None
    concurrency: int | None
    prefetch: int | None
    functions_hash: str
    counter: int
    started_at: datetime
    seen_at: datetime
    stopping_since: datetime | None
    idle_since: datetime | None = None

    @property
    def takes_runs(self) -> bool:
        """Whether it is a worker that has not begun to shut down."""
        return self.kind is NodeKind.WORKER and self.stopping_since is None


def register(
    tx: Transaction,
    profile: NodeProfile,
    *,
    counter: int,
    started_at: datetime | None,
    vitals: Vitals = _UNKNOWN,
    is_stopping: bool = False,
) -> datetime:
    """Write a node's row, also where one of the same id is there; return when the node started.

    That is now, unless it is known. The counter must be one that no row of the node has had.
    ``is_stopping`` says that it consumes no more. One that had started already may have been found dead.
    """
    now = tx.now
    if started_at is not None:
        lost_nodes.mark_returned(tx, profile.id)
    functions = {name: profile.functions[name].as_json() for name in sorted(profile.functions)}
    definitions = {name: profile.definitions[name] for name in sorted(profile.definitions)}
    tx.execute(delete(nodes).where(nodes.c.id == profile.id))
    tx.execute(
        insert(nodes).values(
            id=profile.id,
            namespace=profile.namespace,
            kind=profile.kind.value,
            name=profile.name,
            host=profile.host,
            pid=profile.pid,
            version=profile.version,
            queues=list(profile.queues),
            broker=profile.broker,
            pool=profile.pool,
            concurrency=profile.concurrency,
            prefetch=profile.prefetch,
            heartbeat=profile.heartbeat,
            lease=profile.lease,
            entries=None if profile.entries is None else list(profile.entries),
            functions=functions,
            functions_hash=_hash(functions),
            definitions=definitions,
            definitions_hash=_hash(definitions),
            counter=counter,
            started_at=started_at or now,
            stopping_since=now if is_stopping else None,
            idle_since=now if vitals.is_idle() else None,
            **signs_of(tx, vitals),
        )
    )
    return started_at or now


def beat(tx: Transaction, node_id: UUID, *, vitals: Vitals = _UNKNOWN, is_stopping: bool = False) -> bool:
    """Write a heartbeat, with the time of the first one that stops; return True if the row is still there."""
    stopping_since = func.coalesce(nodes.c.stopping_since, tx.sql_now()) if is_stopping else None
    # Their time first: of a message that has left its queue by then the worker says that it has it.
    signs = signs_of(tx, vitals)
    idle_since = func.coalesce(nodes.c.idle_since, tx.now) if vitals.is_idle() else None
    statement = (
        update(nodes)
        .where(nodes.c.id == node_id)
        .values(
            counter=nodes.c.counter + 1,
            stopping_since=stopping_since,
            idle_since=idle_since,
            **signs,
        )
    )
    return rowcount(tx, statement) == 1


def _hash(value: object) -> str:
    return sha256(json.dumps(value).encode()).hexdigest()


def remove(tx: Transaction, node_id: UUID) -> None:
    """Remove the row of a node that has ended its work."""
    tx.execute(delete(nodes).where(nodes.c.id == node_id))


def remove_dead(tx: Transaction, node: Node, *, found_by: str) -> bool:
    """Move a dead node's row to the lost ones, unless it has beaten since; return True if it was moved.

    A row that the node itself has locked, stalled in a heartbeat, is left for the next pass.
    """
    unchanged = (nodes.c.id == node.id, nodes.c.counter == node.counter)
    if tx.scalar(select(nodes.c.id).where(*unchanged).with_for_update(skip_locked=True)) is None:
        return False
    lost_nodes.record(tx, node.id, found_by=found_by)
    tx.execute(delete(nodes).where(nodes.c.id == node.id))
    return True


def list_nodes(tx: Transaction) -> list[Node]:
    """Return the beats and workers of a namespace."""
    return _nodes(tx, nodes.c.namespace == tx.namespace)


def list_live(tx: Transaction, *, lease: timedelta) -> list[Node]:
    """Return the beats and workers of all namespaces whose last heartbeat is younger than a lease."""
    return _nodes(tx, nodes.c.seen_at > tx.sql_after(-lease))


def _nodes(tx: Transaction, condition: ColumnElement[bool]) -> list[Node]:
    columns = [nodes.c[field.name] for field in fields(Node)]
    rows = tx.execute(select(*columns).where(condition).order_by(nodes.c.id))
    found = []
    for row in rows:
        values = row._asdict()
        values["kind"] = NodeKind(values["kind"])
        values["queues"] = tuple(values["queues"])
        found.append(Node(**values))
    return found


def is_followed(tx: Transaction, queue: str | None) -> bool:
    """Return True if a worker that takes runs consumes a queue: it reports what becomes of a Celery task.

    Any worker may, where Celery's router chose the queue, or where a worker does not say which it consumes.
    """
    consumed = tx.scalars(
        select(nodes.c.queues).where(
            nodes.c.namespace == tx.namespace,
            nodes.c.kind == NodeKind.WORKER.value,
            nodes.c.stopping_since.is_(None),
        )
    )
    return any(queue is None or not queues or queue in queues for queues in consumed)


def worker_hashes(tx: Transaction) -> frozenset[str]:
    """Return the hashes of the function sets of the workers of a namespace that take runs."""
    return frozenset(row.name for row in tx.execute(workers(tx.namespace)))


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerTakes:
    """A worker that takes runs: the hash of its function set, its queues, and how many messages it takes.

    It does not say which queues it consumes where they are empty; ``takes`` is None where that is unknown.
    """

    functions_hash: str
    queues: frozenset[str]
    takes: int | None


def workers(namespace: str) -> Select[str, int, str]:
    """Return the query for the workers of a namespace that take runs, as ``takes_from`` reads them."""
    return select(
        nodes.c.functions_hash.label("name"),
        func.coalesce(nodes.c.prefetch, 0).label("number"),
        # As text: in a union its column has the names of functions as well.
        type_coerce(nodes.c.queues, Text()).label("function"),
    ).where(
        nodes.c.namespace == namespace,
        nodes.c.kind == NodeKind.WORKER.value,
        nodes.c.stopping_since.is_(None),
    )


def takes_from(functions_hash: str, takes: int, queues: str) -> WorkerTakes:
    """Return the worker that a row of the query above describes."""
    return WorkerTakes(
        functions_hash=functions_hash, queues=frozenset(json.loads(queues)), takes=takes or None
    )


def function_sets(tx: Transaction, hashes: Collection[str]) -> dict[str, dict[str, FunctionLimits]]:
    """Return, for each of ``hashes``, the function names and their limits."""
    rows = tx.execute(
        select(nodes.c.functions_hash, nodes.c.functions).where(
            nodes.c.namespace == tx.namespace, nodes.c.functions_hash.in_(list(hashes))
        )
    )
    return {
        row.functions_hash: {name: limits_from(stored) for name, stored in row.functions.items()}
        for row in rows
    }


def function_sets_of_workers(tx: Transaction) -> list[dict[str, FunctionLimits]]:
    """Return the sets of functions that workers of a namespace have which take runs, with their limits."""
    sets = tx.scalars(workers(tx.namespace).with_only_columns(nodes.c.functions).distinct())
    return [{name: limits_from(stored) for name, stored in each.items()} for each in sets]


def nodes_without_row(tx: Transaction) -> list[UUID]:
    """Return the nodes under which runs are InProgress although they have no row."""
    statement = (
        select(tickers.c.running_on)
        .where(
            tickers.c.running_on.is_not(None),
            tickers.c.namespace == tx.namespace,
            ~exists().where(nodes.c.id == tickers.c.running_on),
        )
        .distinct()
    )
    return [node_id for node_id in tx.scalars(statement) if node_id is not None]
