"""Looks for evidence that messages were lost: asks the broker for its queues, and the store for workers."""

from collections.abc import Callable

from tickerq_celery.runtime.core import Core
from tickerq_celery.store import lost_messages, nodes
from tickerq_celery.store.nodes import Node
from tickerq_celery.tickers.losses import NO_EVIDENCE, Evidence, MessageFlow, QueueWorker, evidence_of

# Of a broker with very many queues, some are asked for at each look.
_MOST_QUEUES = 50


class LossWatch:
    """Looks once a heartbeat: workers say no more often what they have.

    ``size_of`` returns how many messages are in a queue, or None where the broker does not say;
    ``broker`` is the address of the broker that it asks, None where workers may be on any.
    """

    def __init__(
        self,
        core: Core,
        queue_of: Callable[[MessageFlow], str | None],
        size_of: Callable[[str], int | None],
        *,
        broker: str | None = None,
    ) -> None:
        self._core = core
        self._queue_of = queue_of
        self._size_of = size_of
        self._broker = broker
        self._look_at = 0.0
        self._known = NO_EVIDENCE

    def look(self) -> Evidence:
        """Return what is known of the flows whose messages were published a lease ago and not started.

        Raises:
            StoreError: The database cannot be reached.
            PublishError: The broker is unreachable.
        """
        moment = self._core.clock.monotonic()
        if moment >= self._look_at:
            self._look_at = moment + self._core.config.heartbeat.total_seconds()
            self._known = self._found()
        return self._known

    def _found(self) -> Evidence:
        core, lease = self._core, self._core.config.lease
        flows = core.read(lost_messages.waiting_flows, lease=lease)
        if not flows:
            return NO_EVIDENCE
        queues = {flow: self._queue_of(flow) for flow in flows}
        asked = sorted({queue for queue in queues.values() if queue is not None})[:_MOST_QUEUES]
        # The queues first: what a worker takes from one meanwhile it has when it says so.
        sizes = {queue: self._size_of(queue) for queue in asked}
        workers = [_worker(node) for node in core.read(nodes.list_nodes) if self._may_take(node)]
        return evidence_of(queues, sizes, workers, now=core.read(lambda tx: tx.now), lease=lease)

    def _may_take(self, node: Node) -> bool:
        is_elsewhere = None not in (self._broker, node.broker) and node.broker != self._broker
        return node.takes_runs and not is_elsewhere


def _worker(node: Node) -> QueueWorker:
    return QueueWorker(queues=node.queues, idle_since=node.idle_since)
