"""Enforces the time limits of bodies from the main process of a worker with a prefork pool."""

import logging
import os
import signal
import threading
import time
from contextlib import suppress
from datetime import timedelta
from queue import SimpleQueue

from tickerq_celery.broker.messages import task_id
from tickerq_celery.wording import exactly
from tickerq_celery.worker.child_marks import ChildMarks, Mark
from tickerq_celery.worker.signal_reports import Report, SignalKind, SignalReport

logger = logging.getLogger(__name__)
_CHECK_SECONDS = 0.2


class LimitWatch(threading.Thread):
    """Interrupts and kills children whose bodies run too long.

    Of each that it kills it puts a report, and notes the limit in ``killed`` by the Celery task id.

    It is a thread of its own: the event loop stalls while the broker is unreachable, the heartbeat
    while the store is.
    """

    def __init__(self, marks: ChildMarks, reports: SimpleQueue[Report], killed: dict[str, float]) -> None:
        super().__init__(name="tickerq-limits", daemon=True)
        self._marks = marks
        self._reports = reports
        self._killed = killed
        self._stopped = threading.Event()

    def run(self) -> None:
        while not self._stopped.wait(_CHECK_SECONDS):
            try:
                self.check()
            except Exception:
                # The thread serves all runs, whatever it meets at one of them.
                logger.exception("time limits could not be enforced")

    def check(self) -> None:
        """Enforce the limits of every body that exceeds one now."""
        for mark in self._marks.overdue():
            with self._marks.frozen(mark) as is_unchanged:
                if is_unchanged:
                    self._enforce(mark)

    def stop(self) -> None:
        """End the thread."""
        self._stopped.set()
        self.join()

    def _enforce(self, mark: Mark) -> None:
        is_hard = mark.exceeds(mark.hard, time.monotonic())
        if is_hard:
            # Before the death, which Celery may notice at once.
            self._killed[task_id(mark.ticker_id, mark.claim_no)] = mark.hard
        with suppress(ProcessLookupError):
            os.kill(mark.pid, signal.SIGKILL if is_hard else signal.SIGUSR1)
        self._marks.forget_limits(mark, and_hard=is_hard)
        if is_hard:
            self._report(mark)
        else:
            logger.warning("run %s was interrupted after its timeout of %s s", mark.ticker_id, mark.soft)

    def _report(self, mark: Mark) -> None:
        logger.error("run %s was killed after its hard timeout of %s s", mark.ticker_id, mark.hard)
        limit = exactly(timedelta(seconds=mark.hard))
        self._reports.put(
            SignalReport(
                ticker_id=mark.ticker_id,
                claim_no=mark.claim_no,
                kind=SignalKind.TIMED_OUT,
                message=f"time limit exceeded: the function ran for more than {limit}",
            )
        )
