"""Log once of a queue that runs were published to and that no live worker consumes."""

import logging
from collections.abc import Sequence

from celery import Celery

from tickerq_celery.broker.routes import queue_of
from tickerq_celery.runtime.core import Core
from tickerq_celery.store import nodes
from tickerq_celery.tickers.claims import Claim

logger = logging.getLogger(__name__)


class QueueWatch:
    """Compares where runs were published to with what the live workers consume."""

    def __init__(self, app: Celery, core: Core) -> None:
        self._app = app
        self._core = core
        # By function and the run's own queue: routers are the user's, and may be slow.
        self._known: dict[tuple[str, str | None], str | None] = {}
        self._used: set[str] = set()
        self._logged: set[str] = set()

    def published(self, claims: Sequence[Claim]) -> None:
        """Note where claims went; calls of Celery tasks may be for workers that the store does not know."""
        found = {self._queue_of(claim) for claim in claims if claim.call is None}
        self._used |= {queue for queue in found if queue is not None}

    def look(self) -> None:
        """Log the queues used since the last look that no live worker consumes.

        Raises:
            StoreError: The database cannot be reached.
        """
        if not self._used:
            return
        consumed = nodes.consumed_queues(self._core.read(nodes.list_nodes))
        used, self._used = self._used, set()
        if consumed is None:
            return
        for queue in sorted(used - consumed - self._logged):
            logger.warning("runs wait in queue %s, which no live worker consumes", queue)
        self._logged = (self._logged | used) - consumed

    def _queue_of(self, claim: Claim) -> str | None:
        key = (claim.function, claim.queue)
        if key not in self._known:
            try:
                self._known[key] = queue_of(self._app, *key)
            except Exception:  # noqa: BLE001 - the user's router, which has let this very claim pass
                self._known[key] = None
        return self._known[key]
