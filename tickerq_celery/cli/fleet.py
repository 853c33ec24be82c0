"""What `check` finds in the store about beats, workers, their queues, and runs that are overdue."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from tickerq_celery.broker.address import broker_address
from tickerq_celery.broker.routes import queue_of
from tickerq_celery.cli.findings import Finding, failed, fine, warned
from tickerq_celery.enums import NodeKind
from tickerq_celery.errors import cause_of
from tickerq_celery.extension import TickerQ
from tickerq_celery.store import backlog, nodes
from tickerq_celery.store.nodes import Node
from tickerq_celery.worker import drop_counts


def findings(tickerq: TickerQ) -> Iterator[Finding]:
    """Yield what there is to say of live nodes, of their queues, and of the backlog.

    Raises:
        StoreError: The database cannot be reached.
    """
    core = tickerq.core
    alive = core.read(nodes.list_live, lease=core.config.lease)
    live = [node for node in alive if node.stopping_since is None]
    own = [node for node in live if node.namespace == core.config.namespace]
    yield from _of_nodes(own)
    for node in alive:
        if node.namespace == core.config.namespace and node.stopping_since is not None:
            since = f"{node.stopping_since:%Y-%m-%d %H:%M:%S}Z"
            yield warned(f"{node.kind} {node.name} shuts down since {since}, and takes no more runs")
    here = _address(tickerq)
    yield from _of_brokers(own, here)
    yield from _of_queues(tickerq, live, own, here)
    yield from _of_backlog(tickerq)
    dropped = drop_counts.recent(core)
    if dropped:
        shown = ", ".join(f"{count} {reason}" for reason, count in dropped.items())
        yield fine(f"messages dropped in the last 24 hours: {shown}")


def _of_nodes(own: Sequence[Node]) -> Iterator[Finding]:
    counts = {kind: sum(node.kind is kind for node in own) for kind in NodeKind}
    for kind, count in counts.items():
        if count == 0:
            yield failed(f"no {kind} is alive: start one, `celery -A yourapp {kind}`")
    if all(counts.values()):
        yield fine(", ".join(f"{counted(count, kind)} alive" for kind, count in counts.items()))


def _address(tickerq: TickerQ) -> str | None:
    """Return where this application's broker is, or None where it has no such transport."""
    try:
        return broker_address(tickerq.app)
    except (ImportError, LookupError, ValueError):
        return None


def _of_brokers(own: Sequence[Node], here: str | None) -> Iterator[Finding]:
    """Yield the nodes that are on another broker; a warning, as one broker may have two names."""
    for node in own:
        if here is not None and node.broker not in (None, here):
            yield warned(
                f"{node.kind} {node.name} is on broker {node.broker}, and this application on {here}: "
                "unless both are one broker, what one publishes does not reach the other"
            )


def _of_queues(
    tickerq: TickerQ, live: Sequence[Node], own: Sequence[Node], here: str | None
) -> Iterator[Finding]:
    consumed = nodes.consumed_queues(own) or frozenset()
    used: dict[str, list[str]] = {}
    for function, named in tickerq.core.queues.items():
        try:
            queue = queue_of(tickerq.app, function, named)
        except Exception as error:  # noqa: BLE001 - the user's router
            yield failed(f"runs of {function} cannot be published: {cause_of(error)}")
            continue
        if queue is not None:
            used.setdefault(queue, []).append(function)
    if consumed:
        for queue in sorted(used.keys() - consumed):
            yield failed(
                f"queue {queue}: no live worker consumes it, and runs of {', '.join(used[queue])} wait in it"
            )
    others = [node for node in live if node.namespace != tickerq.config.namespace and node.broker == here]
    yield from _of_namespaces(tickerq.config.namespace, others, consumed.union(used))


def _of_namespaces(namespace: str, others: Sequence[Node], mine: frozenset[str]) -> Iterator[Finding]:
    """Yield the queues that nodes of other namespaces on this store and broker consume as well."""
    shared = {(queue, node.namespace) for node in others for queue in mine.intersection(node.queues)}
    for queue, other in sorted(shared):
        yield failed(
            f"queue {queue}: workers of namespace {other!r} consume it as well as those of {namespace!r}: "
            "give each namespace queues of its own, or one name to both"
        )


def _of_backlog(tickerq: TickerQ) -> Iterator[Finding]:
    core, config = tickerq.core, tickerq.config
    found = core.read(backlog.overdue, due_for=config.lease, queued_for=config.republish_after)
    if found.runs:
        yield failed(
            f"{_late(found.runs, 'run', config.lease)} due and not published{_since(found.run_since)}"
        )
    if found.crons:
        yield failed(
            f"{_late(found.crons, 'cron ticker', config.lease)} due and not fired{_since(found.cron_since)}"
        )
    if found.queued:
        yield failed(
            f"{_late(found.queued, 'run', config.republish_after)} published and not started by a worker"
            f"{_since(found.queued_since)}"
        )
    if found.unreported:
        verb, whose = ("is", "its") if found.unreported == 1 else ("are", "their")
        yield warned(
            f"{counted(found.unreported, 'run')} of Celery tasks {verb} published and reported by no worker"
            f"{_since(found.unreported_since)}: {whose} children wait for a worker that has this TickerQ"
        )
    for held in core.read(backlog.held_without_function):
        verb = "is" if held.runs == 1 else "are"
        yield warned(
            f"{counted(held.runs, 'run')} of {held.function} {verb} held: no live worker has this function"
        )


def _late(count: int, what: str, limit: timedelta) -> str:
    verb = "is" if count == 1 else "are"
    return f"{counted(count, what)} {verb} overdue: for more than {limit.total_seconds():g} s"


def _since(moment: datetime | None) -> str:
    return "" if moment is None else f", the first since {moment:%Y-%m-%d %H:%M:%S}Z"


def counted(count: int, what: str) -> str:
    """Return a number and what there is of it, in the plural where it is not 1."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
