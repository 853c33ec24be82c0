"""How many passwords are hashed at once: each takes a core and tens of megabytes."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tickerq_dashboard.access.refusals import TooManyLoginsError

AT_ONCE, IN_QUEUE, WAIT_TIMEOUT = 2, 4, 2.0


class HashSlots:
    """Lets two passwords be hashed at once and four wait, for two seconds at most; others are refused."""

    def __init__(
        self, *, at_once: int = AT_ONCE, in_queue: int = IN_QUEUE, wait_timeout: float = WAIT_TIMEOUT
    ) -> None:
        self._running = threading.BoundedSemaphore(at_once)
        self._admitted = threading.BoundedSemaphore(at_once + in_queue)
        self._wait_timeout = wait_timeout

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Hold one of the slots.

        Raises:
            TooManyLoginsError: All are taken, and as many as may wait do.
        """
        if not self._admitted.acquire(blocking=False):
            raise TooManyLoginsError
        try:
            if not self._running.acquire(timeout=self._wait_timeout):
                raise TooManyLoginsError
            try:
                yield
            finally:
                self._running.release()
        finally:
            self._admitted.release()
