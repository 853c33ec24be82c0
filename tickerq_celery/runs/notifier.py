"""Notify workers of what became of a run, once it is committed, as far as the broker answers in time."""

import logging
import threading
from collections.abc import Callable
from uuid import UUID

from tickerq_celery.errors import PublishError
from tickerq_celery.runs.immediate import LOCK_WAIT_SECONDS
from tickerq_celery.runs.publisher import Publisher

logger = logging.getLogger(__name__)


class Notifier:
    """Sends messages through one publisher, one at a time; it waits a bounded time, and never raises."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        # A publisher's connection serves one thread at a time.
        self._mutex = threading.Lock()

    def notify(self, ticker_id: UUID, done: str, send: Callable[[Publisher], None]) -> bool:
        """Send what is to be said of a run; ``done`` is what became of it, for the log.

        Return False where the broker did not take it, and so may not take another one.
        """
        if not self._mutex.acquire(timeout=LOCK_WAIT_SECONDS):
            logger.warning("run %s is %s, and no worker was notified in time", ticker_id, done)
            return False
        try:
            send(self._publisher)
        except PublishError as error:
            logger.warning("run %s is %s, and no worker was notified: %s", ticker_id, done, error)
            return False
        except Exception:
            # The change is committed: whatever the user's router raises may not look like its failure.
            logger.exception("run %s is %s, and no worker was notified", ticker_id, done)
        finally:
            self._mutex.release()
        return True
