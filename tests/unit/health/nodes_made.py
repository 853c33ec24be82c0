"""Nodes as the store would show them, at one moment of the tests."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from tests.inner import new_id
from tests.manual_clock import START
from tickerq_celery.enums import NodeKind
from tickerq_celery.views import Finding, LostNode, NodeState, NodeView

AT = START
LEASE = timedelta(seconds=30)
_NODE = NodeView(
    id=new_id(),
    namespace="shop",
    kind=NodeKind.WORKER,
    name="celery@web1",
    host="web1",
    pid=1,
    version="1.0",
    state=NodeState.ALIVE,
    queues=("celery",),
    broker="redis://broker/0",
    pool="prefork",
    concurrency=2,
    prefetch=8,
    memory=None,
    clock_offset=timedelta(0),
    heartbeat=timedelta(seconds=10),
    lease=LEASE,
    started_at=AT - timedelta(hours=1),
    seen_at=AT - timedelta(seconds=2),
    silent_for=timedelta(seconds=2),
    stopping_since=None,
    ticked_at=None,
    claimed=None,
    pruned_at=None,
    pruned=None,
    refusal=None,
    refused_since=None,
    refused_at=None,
    running=0,
    functions=("Send",),
    missing_functions=(),
)


def worker(name: str = "celery@web1", **fields: Any) -> NodeView:
    """Return a worker that is well, unless ``fields`` say otherwise."""
    return replace(_NODE, id=new_id(), name=name, **fields)


def beat(name: str = "beat@web1", **fields: Any) -> NodeView:
    """Return a beat that is well, and that has just completed a tick, unless ``fields`` say otherwise."""
    own = {"kind": NodeKind.BEAT, "queues": (), "pool": None, "ticked_at": AT - timedelta(seconds=3)}
    return replace(_NODE, id=new_id(), name=name, **{**own, **fields})


def gone(node: NodeView, seconds: float, state: NodeState = NodeState.SILENT) -> NodeView:
    """Return a node whose last heartbeat was so many seconds ago."""
    silent_for = timedelta(seconds=seconds)
    return replace(node, state=state, silent_for=silent_for, seen_at=AT - silent_for)


def lost(node: NodeView, seen_at: datetime = AT) -> LostNode:
    """Return what is kept of a node that was found dead."""
    return LostNode(
        id=node.id,
        namespace=node.namespace,
        kind=node.kind,
        name=node.name,
        host=node.host,
        pid=node.pid,
        version=node.version,
        queues=node.queues,
        started_at=node.started_at,
        seen_at=seen_at,
        stopping_since=None,
        found_at=seen_at + LEASE,
        found_by="beat@web2",
        returned_at=None,
    )


def shown(finding: Finding) -> tuple[str, str, str | None]:
    """Return what distinguishes a finding: its code, its severity, its subject's name."""
    subject = finding.subject
    return finding.code.value, finding.severity.value, subject and subject.name
