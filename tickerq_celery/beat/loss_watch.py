"""Looks for evidence that messages were lost: asks the broker for its queues, and the store for workers."""

import logging
from collections.abc import Callable, Sequence

from tickerq_celery.enums import NodeKind
from tickerq_celery.errors import PublishError
from tickerq_celery.runtime.core import Core
from tickerq_celery.store.nodes import nodes
from tickerq_celery.store.nodes.nodes import Node
from tickerq_celery.store.runs import lost_messages
from tickerq_celery.tickers.losses import Evidence, MessageFlow, QueueSizes, QueueWorker, evidence_of

logger = logging.getLogger(__name__)
# Of a broker with more queues, others are asked for at the next look.
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
        self._sizes = QueueSizes()
        self._known = Evidence()
        self._asked_last = ""
        self._has_failed = False

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
        before, self._sizes = self._sizes, QueueSizes()
        if not flows:
            return Evidence()
        queues = {flow: self._queue_of(flow) for flow in flows}
        asked = self._next_queues(sorted({queue for queue in queues.values() if queue is not None}))
        # After their sizes: what was in no queue then, a worker has that says so later.
        sizes = {queue: self._size(queue) for queue in asked}
        self._sizes = QueueSizes(at=core.read(lambda tx: tx.now), of=sizes)
        workers = [_worker(node) for node in core.read(nodes.list_nodes) if self._may_have(node)]
        return evidence_of(queues, workers, sizes=self._sizes, before=before, lease=lease)

    def _next_queues(self, queues: Sequence[str]) -> Sequence[str]:
        """Return some queues: those after the last that was asked for, and the first ones after these."""
        later = [queue for queue in queues if queue > self._asked_last]
        asked = [*later, *(queue for queue in queues if queue <= self._asked_last)][:_MOST_QUEUES]
        if len(queues) > _MOST_QUEUES:
            self._asked_last = asked[-1]
        return asked

    def _size(self, queue: str) -> int | None:
        try:
            return self._size_of(queue)
        except PublishError:
            raise
        except Exception:
            # Some transports cannot say it, or may not: what they raise is their own.
            if not self._has_failed:
                logger.warning("the broker does not say how long queue %s is", queue, exc_info=True)
            self._has_failed = True
            return None

    def _may_have(self, node: Node) -> bool:
        is_elsewhere = None not in (self._broker, node.broker) and node.broker != self._broker
        return node.kind is NodeKind.WORKER and not is_elsewhere


def _worker(node: Node) -> QueueWorker:
    return QueueWorker(
        queues=node.queues, idle_since=node.idle_since, seen_at=node.seen_at, takes_runs=node.takes_runs
    )
