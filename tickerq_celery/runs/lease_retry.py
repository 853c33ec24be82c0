"""Retry for one lease, while the store is unreachable, to record what happened to a run in this process."""

import logging
import time
from uuid import UUID

from tickerq_celery.errors import StoreError
from tickerq_celery.runtime.backoff import Backoff
from tickerq_celery.runtime.core import Core

logger = logging.getLogger(__name__)
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0


class LeaseRetry:
    """The pauses between the tries to record ``what`` happened to a run, from now on for one lease."""

    def __init__(self, core: Core, ticker_id: UUID, *, what: str = "has ended") -> None:
        self._clock = core.clock
        self._ticker_id = ticker_id
        self._what = what
        self._deadline = core.clock.monotonic() + core.config.lease.total_seconds()
        self._backoff = Backoff(_SHORTEST_PAUSE, _LONGEST_PAUSE)

    def wait_or_raise(self, error: StoreError) -> None:
        """Sleep until the next try, or raise ``error`` where the lease is over."""
        if self._clock.monotonic() >= self._deadline:
            raise error
        logger.warning(
            "run %s %s, the store is unreachable, trying again: %s", self._ticker_id, self._what, error,
            extra={"ticker_id": str(self._ticker_id)},
        )  # fmt: skip
        time.sleep(self._backoff.next())
