"""Runs in progress whose worker is dead or gone: which workers those are, and what is left on them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from tickerq_celery import Run, TickerStatus
from tickerq_celery.views import NodeState, NodeView, RunSummary
from tickerq_dashboard.reading.reader import Reader, or_none

# So many nodes are read of a store; and so many runs in progress, those that began first.
MOST_NODES, MOST_RUNNING = 1_000, 500
# What is known of the nodes may be older than a worker that has begun a run since.
SETTLED = timedelta(seconds=10)
GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What is in progress on a worker that is dead or gone; ``since`` is when the first run of it began."""

    node_id: UUID
    name: str
    runs: int
    since: datetime


def lost_workers(reader: Reader, runs: Iterable[Run | RunSummary]) -> Mapping[UUID, str]:
    """Return the workers of runs in progress that are dead or gone, by their ids, with the word for it."""
    running = [each for each in runs if each.running_on is not None]
    nodes = or_none(reader.nodes) if running else None
    return {} if nodes is None else lost_among(nodes, running, reader.now())


def last_seen(reader: Reader, node_id: UUID | None) -> datetime | None:
    """Return when a worker that is dead or gone was heard of last; None where that is not known any more."""
    for node in or_none(reader.nodes) or ():
        if node.id == node_id:
            return node.seen_at
    return next((each.seen_at for each in or_none(reader.lost_nodes) or () if each.id == node_id), None)


def lost_among(
    nodes: Sequence[NodeView], running: Iterable[Run | RunSummary], now: datetime
) -> Mapping[UUID, str]:
    """Return those workers of runs that are dead, or not among the nodes any more."""
    states = {each.id: each.state for each in nodes}
    lost: dict[UUID, str] = {}
    for run in running:
        node, since = run.running_on, run.started_at
        if node is None or since is None:
            continue
        if states.get(node) is NodeState.DEAD:
            lost[node] = NodeState.DEAD.value
        elif node not in states and len(nodes) < MOST_NODES and now - since > SETTLED:
            lost[node] = GONE
    return lost


def runs_on_lost(reader: Reader) -> Sequence[RunSummary]:
    """Return the runs in progress on workers that are dead or gone, the oldest first."""
    active = {"status": (TickerStatus.IN_PROGRESS,)}
    running = or_none(lambda: reader.runs("active", active, None, MOST_RUNNING)) or ()
    lost = lost_workers(reader, running)
    return [each for each in running if each.running_on in lost]


def left_by(orphans: Iterable[RunSummary]) -> Mapping[UUID, Left]:
    """Return what is in progress on workers that are dead or gone, by their ids, of those runs."""
    found: dict[UUID, list[RunSummary]] = defaultdict(list)
    for run in orphans:
        if run.running_on is not None:
            found[run.running_on].append(run)
    return {
        node: Left(
            node_id=node,
            name=runs[0].node or str(node),
            runs=len(runs),
            since=min(run.started_at or run.updated_at for run in runs),
        )
        for node, runs in found.items()
    }
