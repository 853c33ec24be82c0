"""Ask the store again while it is away, for as long as others trust this node's claims."""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from tickerq_celery.backoff import Backoff
from tickerq_celery.core import Core
from tickerq_celery.errors import StoreError
from tickerq_celery.store.claims import Started

logger = logging.getLogger(__name__)
T = TypeVar("T")
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0


def patiently(core: Core, run: Started, ask: Callable[[], T]) -> T:
    """Return what ``ask`` returns about a run whose body has ended, trying for one lease.

    Raises:
        StoreError: The database stayed away for a whole lease.
    """
    deadline = core.clock.monotonic() + core.config.lease.total_seconds()
    backoff = Backoff(_SHORTEST_PAUSE, _LONGEST_PAUSE)
    while True:
        try:
            return ask()
        except StoreError as error:
            if core.clock.monotonic() >= deadline:
                raise
            logger.warning(
                "run %s has ended, the store is away, trying again: %s", run.id, error,
                extra={"ticker_id": str(run.id)},
            )  # fmt: skip
            time.sleep(backoff.next())
