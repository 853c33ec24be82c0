"""By when a beat has rescued the runs of a node that gives no sign of life, in the words of all who ask."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from tickerq_celery.enums import NodeKind
from tickerq_celery.tickers.node_views import LostNode, NodeState, NodeView
from tickerq_celery.wording import moment


def silent_since(node: NodeView | LostNode | None, started_at: datetime | None) -> datetime | None:
    """Return from when on a beat can see that a node is silent; of one without a row, what is known of it."""
    if node is None:
        return started_at
    return node.found_at if isinstance(node, LostNode) else node.seen_at


def rescued_by(silent_since: datetime, nodes: Iterable[NodeView], *, lease: timedelta) -> datetime:
    """Return by when a beat has rescued what ran there, if all goes well.

    The node's own lease counts from its last heartbeat, and that of a beat from when it has looked first: no
    earlier than it started.
    """
    beats = [
        each.started_at for each in nodes if each.kind is NodeKind.BEAT and each.state is NodeState.ALIVE
    ]
    return max(silent_since, min(beats, default=silent_since)) + 2 * lease


def rescue_words(by: datetime, at: datetime) -> str:
    """Return what a beat does until then, or that it has not done it."""
    if by > at:
        return f"a beat rescues it by {moment(by)}"
    return f"a beat was to rescue it by {moment(by)}, and has not"
