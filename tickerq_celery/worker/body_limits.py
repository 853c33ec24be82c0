"""The time limits of a body in the process that executes it: when they begin and end, and the soft one."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from celery.exceptions import SoftTimeLimitExceeded

from tickerq_celery.tickers.timeouts import TimeLimits
from tickerq_celery.worker.child_marks import ChildMarks


class BodyLimits:
    """Enforces time limits on the body of an attempt, and on neither its start nor its end.

    The main process sends the signal of the soft limit, and kills for the hard one, by the mark that this
    sets. Celery's own timers measure from the moment at which a child accepts a message: what they send
    before the soft limit, or while no body runs, does nothing. Without a prefork pool nothing is limited.
    """

    def __init__(self, marks: ChildMarks) -> None:
        self._marks = marks
        self._may_raise = False
        self._soft_at = 0.0

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Answer the signal of the soft limit for the block: one attempt, from its start to its end."""
        if not self._marks.is_child:
            yield
            return
        previous = signal.signal(signal.SIGUSR1, self._raise_if_due)
        try:
            with self._marks.removed_after():
                yield
        finally:
            signal.signal(signal.SIGUSR1, previous)

    @contextmanager
    def body(self, limits: TimeLimits) -> Iterator[None]:
        """Measure the block.

        Raises:
            SoftTimeLimitExceeded: It took longer than the soft limit.
        """
        # One moment for both: the main process sends its signal once, however late this process goes on.
        begun_at = time.monotonic()
        # Where it has none, Celery's own for all tasks of a worker may be meant.
        self._soft_at = begun_at + limits.soft if limits.soft else 0.0
        try:
            try:
                self._may_raise = True
                self._marks.begin_body(limits, begun_at)
                yield
            finally:
                self._may_raise = False
        finally:
            # Also where the limit is raised between the end of the body and the line above.
            self.end()

    def end(self) -> None:
        """End the measuring before the block does, in any thread."""
        self._may_raise = False
        self._marks.end_body()

    def _raise_if_due(self, number: int, frame: FrameType | None) -> None:
        if self._may_raise and time.monotonic() >= self._soft_at:
            self._may_raise = False
            raise SoftTimeLimitExceeded
