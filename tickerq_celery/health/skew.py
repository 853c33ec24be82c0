"""Findings about what differs among nodes: broker, namespace, clock, version, definitions of functions."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from tickerq_celery.functions.records import digest_in, settings_in
from tickerq_celery.health.findings import capped, failure, warning
from tickerq_celery.health.phrases import counted, listed, span
from tickerq_celery.store.nodes.views import DefinitionSet
from tickerq_celery.tickers.function_views import FunctionVersion, differences_of
from tickerq_celery.tickers.health import Finding, FindingCode, Subject, SubjectKind
from tickerq_celery.tickers.node_views import NodeView

# All that is stored is of the database's clock. A node's own clock decides on what users compute with it, on
# `eta` and `expires` of Celery messages, and on the times in logs. Beyond half a minute runs start visibly
# early or late, and whatever keeps clocks right has stopped there.
_OFF, _FAR_OFF = timedelta(seconds=2), timedelta(seconds=30)


def of_brokers(nodes: Sequence[NodeView], here: str | None) -> Iterator[Finding]:
    """Yield the nodes that are on another broker; a warning, as one broker may have two names."""
    elsewhere = [node for node in nodes if here is not None and node.broker not in (None, here)]
    found = [
        warning(
            FindingCode.OTHER_BROKER,
            f"{node.kind} {node.name} is on broker {node.broker}, and this application on {here}",
            subject=Subject(SubjectKind.NODE, node.name, node.id),
            remedy="unless both are one broker, what one publishes does not reach the other",
        )
        for node in elsewhere
    ]
    yield from capped(found, "nodes on another broker")


def of_namespaces(
    namespace: str, queues: frozenset[str], others: Sequence[NodeView], here: str | None
) -> Iterator[Finding]:
    """Yield those of our queues that live workers of other namespaces on the same broker consume as well."""
    shared = {
        (queue, node.namespace)
        for node in others
        if node.broker == here
        for queue in queues.intersection(node.queues)
    }
    for queue, other in sorted(shared):
        yield failure(
            FindingCode.SHARED_QUEUE,
            f"queue {queue}: workers of namespace {other!r} consume it as well as those of {namespace!r}",
            subject=Subject(SubjectKind.QUEUE, queue),
            remedy="give each namespace queues of its own, or one name to both",
        )


def of_clocks(nodes: Sequence[NodeView]) -> Iterator[Finding]:
    """Yield the nodes whose clocks are not the database's."""
    found = [_clock(node) for node in nodes if abs(node.clock_offset) > _OFF]
    yield from capped(found, "nodes with clocks that are off")


def _clock(node: NodeView) -> Finding:
    side = "ahead of" if node.clock_offset > timedelta(0) else "behind"
    off = f"{span(abs(node.clock_offset))} {side} the database's"
    is_far = abs(node.clock_offset) >= _FAR_OFF
    return (failure if is_far else warning)(
        FindingCode.CLOCK_OFF,
        f"the clock of {node.kind} {node.name} on {node.host} is {off}",
        subject=Subject(SubjectKind.NODE, node.name, node.id),
        remedy="let NTP keep the clocks of both machines",
    )


def of_versions(nodes: Sequence[NodeView]) -> Iterator[Finding]:
    """Yield that nodes run different versions of this package, with how many run each."""
    by_version: dict[str, list[str]] = defaultdict(list)
    for node in nodes:
        by_version[node.version].append(node.name)
    if len(by_version) > 1:
        shown = "; ".join(f"{version} on {listed(names)}" for version, names in sorted(by_version.items()))
        yield warning(
            FindingCode.VERSION_SKEW,
            f"beats and workers run {counted(len(by_version), 'version')} of tickerq-celery: {shown}",
            remedy="finish the rollout, unless one is in progress",
        )


def of_definitions(sets: Sequence[DefinitionSet], nodes: Sequence[NodeView]) -> Iterator[Finding]:
    """Yield the functions that live workers define differently, with who does and in which settings."""
    names = {node.id: node.name for node in nodes}
    by_definition: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for each in sets:
        for function, definition in each.digests.items():
            by_definition[function][definition] += [names[node] for node in each.nodes if node in names]
    found = [
        warning(
            FindingCode.FUNCTION_SKEW,
            f"function {function} has {len(its)} definitions among live workers: "
            + "; ".join(f"one on {listed(sorted(on))}" for on in its.values())
            + _settings(its),
            subject=Subject(SubjectKind.FUNCTION, function),
            remedy="finish the rollout, unless one is in progress; until then the strictest limits count",
        )
        for function, its in sorted(by_definition.items())
        if len({digest_in(each) for each in its}) > 1
    ]
    yield from capped(found, "functions that are defined differently")


def _settings(definitions: Mapping[str, Sequence[str]]) -> str:
    """Return in which settings definitions differ, as far as their workers say them."""
    versions = [
        FunctionVersion(digest=digest_in(each), nodes=tuple(on), settings=settings_in(each))
        for each, on in definitions.items()
    ]
    names = [each.setting for each in differences_of(versions)]
    return f"; they differ in {listed(names)}" if names else ""
