"""Retry for one lease, which recording the end of a body does while the store is unreachable."""

import logging
import time

from tickerq_celery.errors import StoreError
from tickerq_celery.runtime.backoff import Backoff
from tickerq_celery.runtime.core import Core
from tickerq_celery.tickers.claims import Started, TaskExecution

logger = logging.getLogger(__name__)
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0


class LeaseRetry:
    """The pauses between the tries to record how a run's body has ended, from now on for one lease."""

    def __init__(self, core: Core, run: Started | TaskExecution) -> None:
        self._clock = core.clock
        self._run = run
        self._deadline = core.clock.monotonic() + core.config.lease.total_seconds()
        self._backoff = Backoff(_SHORTEST_PAUSE, _LONGEST_PAUSE)

    def wait_or_raise(self, error: StoreError) -> None:
        """Sleep until the next try, or raise ``error`` where the lease is over."""
        if self._clock.monotonic() >= self._deadline:
            raise error
        logger.warning(
            "run %s has ended, the store is unreachable, trying again: %s", self._run.id, error,
            extra={"ticker_id": str(self._run.id)},
        )  # fmt: skip
        time.sleep(self._backoff.next())
