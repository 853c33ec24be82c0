"""Findings about a broker that does not take what beats publish: in its own words, with what to do."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from tickerq_celery.enums import NodeKind
from tickerq_celery.health.findings import failure, warning
from tickerq_celery.health.phrases import listed
from tickerq_celery.tickers.health import Finding, FindingCode, Subject, SubjectKind
from tickerq_celery.tickers.node_views import NodeState, NodeView
from tickerq_celery.wording import moment

# By what stands in the broker's words. The first two and the fourth are codes of Redis.
_REMEDIES = {
    "OOM ": "Redis has reached `maxmemory`: raise it, or delete what fills it",
    "READONLY ": "that Redis is a replica, as after a failover: let `broker_url` name the primary",
    "MISCONF ": "Redis cannot save to its disk: its log says why",
    "NOPERM ": "give the user in `broker_url` the permission",
    "low on memory": "RabbitMQ is above `vm_memory_high_watermark`: let workers take what is queued, or give "
    "it memory; `rabbitmq-diagnostics alarms` says where",
    "low on disk": "RabbitMQ has less disk than `disk_free_limit`: make room; `rabbitmq-diagnostics alarms` "
    "says where",
    "confirmed no message": "see to the broker's log and load; a quorum queue may lack its majority",
    "unreachable": "this process reaches the broker: see to the network between, and to that beat's log",
}
_IN_ANY_CASE = "nothing is lost: what is due waits in the store, and is published once the broker takes it"


def of_refusals(nodes: Sequence[NodeView], *, host: str | None = None) -> Iterator[Finding]:
    """Yield what the broker has done instead of taking messages, once for the beats that say the same.

    It is a failure where no other beat publishes. Where one has had nothing to publish since, whether the
    broker takes messages again is not known.
    """
    beats = [node for node in nodes if node.kind is NodeKind.BEAT and node.state is NodeState.ALIVE]
    is_failure = all(node.is_refused for node in beats)
    refused: dict[str, list[NodeView]] = defaultdict(list)
    for node in beats:
        if host not in (None, node.host) or node.refusal is None:
            continue
        if node.is_refused:
            refused[node.refusal].append(node)
        else:
            yield _before(node, node.refusal)
    for words, its in refused.items():
        since = min((node.refused_since for node in its if node.refused_since is not None), default=None)
        yield (failure if is_failure else warning)(
            FindingCode.BROKER_REFUSES,
            f"the broker has {words}; {published_nothing(its)}",
            subject=Subject(SubjectKind.BROKER, its[0].broker or ""),
            since=since,
            remedy=remedy(words),
        )


def published_nothing(beats: Sequence[NodeView]) -> str:
    """Return which beats have published nothing, and each since when."""
    names = [f"{node.name} since {moment(node.refused_since or node.started_at)}" for node in beats]
    beats_have = "beat has" if len(names) == 1 else "beats have"
    return f"{beats_have} published nothing: {listed(names)}"


def remedy(words: str) -> str:
    """Return what helps, by what the broker says."""
    known = [each for sign, each in _REMEDIES.items() if sign in words]
    return "; ".join([*known[:1], _IN_ANY_CASE])


def _before(node: NodeView, words: str) -> Finding:
    at = "" if node.refused_at is None else f" at {moment(node.refused_at)}"
    return warning(
        FindingCode.BROKER_REFUSES,
        f"the broker had {words},{at} for the last time; beat {node.name} has had nothing to publish since",
        subject=Subject(SubjectKind.BROKER, node.broker or ""),
        since=node.refused_since,
        remedy=f"unless the cause is known to be gone: {remedy(words)}",
    )
