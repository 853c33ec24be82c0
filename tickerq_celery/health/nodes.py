"""Findings about beats and workers: which are alive, silent, dead, late or shutting down."""

import shlex
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from tickerq_celery.enums import NodeKind
from tickerq_celery.health.findings import capped, failure, fine, warning
from tickerq_celery.health.phrases import counted, listed, span
from tickerq_celery.tickers.health import Finding, FindingCode, Subject, SubjectKind
from tickerq_celery.tickers.node_views import LostNode, NodeState, NodeView
from tickerq_celery.wording import moment

_ALIVE = {NodeKind.BEAT: FindingCode.BEATS, NodeKind.WORKER: FindingCode.WORKERS}
_NONE = {NodeKind.BEAT: FindingCode.NO_BEAT, NodeKind.WORKER: FindingCode.NO_WORKER}
_SILENT = {NodeKind.BEAT: FindingCode.BEAT_SILENT, NodeKind.WORKER: FindingCode.WORKER_SILENT}
_DEAD = {NodeKind.BEAT: FindingCode.BEAT_DEAD, NodeKind.WORKER: FindingCode.WORKER_DEAD}


def of_kind(
    kind: NodeKind,
    nodes: Sequence[NodeView],
    lost: Sequence[LostNode],
    *,
    at: datetime,
    late_after: timedelta,
    host: str | None = None,
) -> Iterator[Finding]:
    """Yield what there is to say of the beats, or the workers, of a namespace.

    A beat is late whose last complete tick is longer ago than ``late_after``, unless it says that the broker
    does not take its messages. With a ``host`` only what is there counts, for probes: one that shuts down is
    as well as one can be.
    """
    mine = [node for node in nodes if node.kind is kind and host in (None, node.host)]
    alive = [node for node in mine if node.state is NodeState.ALIVE]
    stopping = [node for node in mine if node.state is NodeState.STOPPING]
    gone = [node for node in mine if not node.is_present]
    if alive:
        yield fine(_ALIVE[kind], _alive(kind, alive))
        yield from _late(kind, alive, at, late_after)
    elif not gone and not (host and stopping):
        was_there = [node for node in lost if node.kind is kind and host in (None, node.host)]
        yield _none(kind, was_there, stopping, host)
    yield from capped([_gone(node, alive) for node in gone], f"silent {kind}s")
    yield from capped([_stopping(node) for node in stopping], f"{kind}s that shut down")


def beats_tick(nodes: Sequence[NodeView], *, at: datetime, late_after: timedelta) -> bool:
    """Return True if a beat is alive and not late."""
    beats = [node for node in nodes if node.kind is NodeKind.BEAT and node.state is NodeState.ALIVE]
    return any(at - _last_tick(node) <= late_after for node in beats)


def _last_tick(node: NodeView) -> datetime:
    return node.ticked_at or node.started_at


def _alive(kind: NodeKind, alive: Sequence[NodeView]) -> str:
    if len(alive) == 1:
        return f"{kind} {alive[0].name} is alive, seen {span(alive[0].silent_for)} ago"
    return f"{counted(len(alive), kind)} are alive"


def _late(
    kind: NodeKind, alive: Sequence[NodeView], at: datetime, late_after: timedelta
) -> Iterator[Finding]:
    if kind is not NodeKind.BEAT:
        return
    late = {node: last for node in alive if at - (last := _last_tick(node)) > late_after}
    found = warning if len(late) < len(alive) else failure
    for node, last in late.items():
        if node.is_refused:
            continue
        yield found(
            FindingCode.BEAT_LATE,
            f"beat {node.name} is alive, and has completed no tick for {span(at - last)}, "
            f"since {moment(last)}",
            subject=_subject(node),
            since=last,
            remedy="its log names what it waits for: the broker, the store, or a slow statement",
        )


def _none(
    kind: NodeKind, lost: Sequence[LostNode], stopping: Sequence[NodeView], host: str | None
) -> Finding:
    latest = sorted(lost, key=lambda each: each.seen_at, reverse=True)
    where = "" if host is None else f" on {host}"
    text = f"no {kind} is alive{where}"
    if latest:
        text += f": the last that was lost, {latest[0].name}, was last seen at {moment(latest[0].seen_at)}"
        text += _others(latest)
    elif stopping:
        text += f": {listed([node.name for node in stopping])} shuts down"
    return failure(
        _NONE[kind],
        text,
        subject=_subject(latest[0]) if latest else None,
        since=latest[0].seen_at if latest else None,
        remedy=f"start one, `celery -A yourapp {kind}`",
    )


def _subject(node: NodeView | LostNode) -> Subject:
    return Subject(SubjectKind.NODE, node.name, node.id)


def _others(latest: Sequence[LostNode]) -> str:
    """Return the names of those that were lost together with the last one, or just before."""
    together = [node.name for node in latest[1:] if latest[0].seen_at - node.seen_at < timedelta(minutes=5)]
    return f", and before it {listed(together)}" if together else ""


def _gone(node: NodeView, alive: Sequence[NodeView]) -> Finding:
    is_dead = node.state is NodeState.DEAD
    code = (_DEAD if is_dead else _SILENT)[node.kind]
    word = "dead" if is_dead else "silent"
    text = (
        f"{node.kind} {node.name} is {word}: its last heartbeat came {span(node.silent_for)} ago, "
        f"at {moment(node.seen_at)}"
    )
    others = _instead(node, alive)
    if others:
        text += f"; {listed(others)} {'does' if len(others) == 1 else 'do'} its work"
        return warning(code, text, subject=_subject(node), since=node.seen_at, remedy=_restart(node))
    return failure(code, text, subject=_subject(node), since=node.seen_at, remedy=_restart(node))


def _restart(node: NodeView) -> str:
    queues = f" -Q {shlex.quote(','.join(node.queues))}" if node.queues else ""
    return f"look at its log, and restart it, `celery -A yourapp {node.kind}{queues}`"


def _instead(node: NodeView, alive: Sequence[NodeView]) -> list[str]:
    """Return the live nodes that do what another one did: a worker, all of whose queues they consume."""
    if node.kind is NodeKind.BEAT:
        return [other.name for other in alive]
    wanted = set(node.queues)
    # One that does not say which queues it consumes may consume any.
    sharing = [other for other in alive if not wanted or not other.queues or wanted & set(other.queues)]
    covered = {queue for other in sharing for queue in other.queues}
    is_open = any(not other.queues for other in sharing)
    return [other.name for other in sharing] if is_open or wanted <= covered else []


def _stopping(node: NodeView) -> Finding:
    since = node.stopping_since
    shown = "" if since is None else f" since {moment(since)}"
    return warning(
        FindingCode.STOPPING,
        f"{node.kind} {node.name} shuts down{shown}, and takes no more runs",
        subject=_subject(node),
        since=since,
    )
