"""Log once of a queue that runs were published to and that no live worker consumes."""

import logging
from collections.abc import Sequence

from tickerq_celery.broker.routes import KnownRoutes
from tickerq_celery.runtime.core import Core
from tickerq_celery.store.nodes import nodes
from tickerq_celery.tickers.claims import Claim
from tickerq_celery.tickers.flows import FunctionQueue
from tickerq_celery.tickers.node_views import consumed_queues

logger = logging.getLogger(__name__)


class QueueWatch:
    """Compares where runs were published to with what the live workers consume."""

    def __init__(self, routes: KnownRoutes, core: Core) -> None:
        self._routes = routes
        self._core = core
        self._used: set[str] = set()
        self._logged: set[str] = set()

    def published(self, claims: Sequence[Claim]) -> None:
        """Note where claims went; calls of Celery tasks may be for workers that the store does not know."""
        flows = {FunctionQueue(claim.function, claim.queue) for claim in claims if claim.call is None}
        found = {self._routes.queue_of(flow) for flow in flows}
        self._used |= {queue for queue in found if queue is not None}

    def check(self) -> None:
        """Log the queues used since the last check that no live worker consumes.

        Raises:
            StoreError: The database cannot be reached.
        """
        if not self._used:
            return
        consumed = consumed_queues(self._core.read(nodes.list_nodes))
        used, self._used = self._used, set()
        if consumed is None:
            return
        for queue in sorted(used - consumed - self._logged):
            logger.warning("runs wait in queue %s, which no live worker consumes", queue)
        self._logged = (self._logged | used) - consumed
