"""Follow an app's Celery tasks in the processes of their bodies, by Celery's own signals.

What runs is Celery's decision: this records it. Celery logs a receiver's exception, which changes nothing.
"""

import logging
import sys
import threading
import time
from datetime import timedelta
from typing import Any
from weakref import WeakSet

from celery import signals
from celery.states import FAILURE
from celery.utils.dispatch import Signal

from tickerq_celery.broker.messages import execution_of_request, hand_on
from tickerq_celery.worker.execution_records import Followed, record_end, record_start
from tickerq_celery.worker.followed_run import keep, kept
from tickerq_celery.worker.parts import ProcessParts, WorkerParts
from tickerq_celery.worker.report_threads import ReportThreads
from tickerq_celery.worker.soft_limit import soft_limit_held_back

logger = logging.getLogger(__name__)
# A body waits so long for the record of its start, in seconds.
LONGEST_WAIT = 1.0
# In seconds before Celery's hard limit, which goes on counting, and at least.
_MARGIN, _LEAST_WAIT = 1.0, 0.05


class Follower:
    """Reports when executions begin and how they end, of messages with our header and no others.

    It is connected before a prefork pool forks: its children inherit that. ``hard_limit`` is the worker's,
    in seconds, for tasks that have none.
    """

    def __init__(self, process: ProcessParts[WorkerParts], *, hard_limit: float | None = None) -> None:
        self._process = process
        self._hard_limit = hard_limit
        self._threads = ReportThreads()
        # Of executions whose ends are still being recorded after their tasks have gone on.
        self._left: WeakSet[threading.Event] = WeakSet()
        self._receivers: tuple[tuple[Signal, Any], ...] = (
            (signals.task_prerun, self._on_prerun),
            (signals.task_postrun, self._on_postrun),
            (signals.worker_process_shutdown, self._on_child_shutdown),
        )

    def listen(self) -> None:
        """Connect to the signals of this process and of those that it forks."""
        for signal, receiver in self._receivers:
            signal.connect(receiver, weak=False)

    def close(self) -> None:
        """Disconnect again."""
        for signal, receiver in self._receivers:
            signal.disconnect(receiver)

    @property
    def is_recording(self) -> bool:
        """Whether this process still records the end of a task that has gone on."""
        return not all(each.is_set() for each in list(self._left))

    def _on_prerun(self, task: Any = None, **_: Any) -> None:
        request = task.request
        execution = execution_of_request(request)
        # Of two apps in one process each follows its own.
        if execution is None or task.app is not self._process.get().app:
            return
        parts = self._process.get()
        followed = Followed(execution=execution, begun_at=time.monotonic())
        keep(request, followed)
        hand_on(execution, request)
        parts.child_marks.begin(execution.id, execution.claim_no)
        with soft_limit_held_back(is_child=parts.child_marks.is_child, before=followed.soft_limit):
            followed.start = self._threads.record(lambda: record_start(parts, followed), limit=LONGEST_WAIT)
        if followed.is_refused:
            # What it marks is another's, if it is anyone's.
            parts.child_marks.end()
        if not followed.start.is_over:
            followed.is_late = True
            logger.warning(
                "run %s begins, and the store has not recorded it in %s s", followed.id, LONGEST_WAIT,
                extra={"ticker_id": str(followed.id)},
            )  # fmt: skip

    def _on_postrun(self, task: Any = None, retval: Any = None, state: Any = None, **_: Any) -> None:
        followed, parts = kept(task.request), self._process.get()
        if not isinstance(followed, Followed) or task.app is not parts.app:
            return
        # What Celery itself raised after the body, as where its result could not be stored.
        raised = sys.exc_info()[1]
        marks = parts.child_marks
        hard = hard_limit_of(task, self._hard_limit) if marks.is_child else None
        with soft_limit_held_back(is_child=marks.is_child), marks.removed_after():
            followed.soft_limit.cancel()
            if raised is None:
                self._report_end(parts, followed, state, retval, hard=hard)
            elif isinstance(raised, Exception):
                self._report_end(parts, followed, FAILURE, raised, hard=hard)
            elif not marks.is_child:
                # Of a child its main process knows more: whether a limit or a revocation ended it.
                self._report_end(parts, followed, None, raised, hard=hard)

    def _report_end(
        self,
        parts: WorkerParts,
        followed: Followed,
        state: str | None,
        returned: object,
        *,
        hard: float | None,
    ) -> None:
        elapsed, lease = followed.elapsed(), parts.core.config.lease
        # The beginning and the end may each be tried for a lease.
        unmark = parts.child_marks.keep(until=time.monotonic() + 3 * lease.total_seconds())

        def record() -> None:
            try:
                record_end(parts, followed, state, returned, elapsed)
            finally:
                unmark()
                followed.is_over.set()

        limit = longest_wait(hard, elapsed, lease)
        recording = self._threads.record(record, limit=limit, after=followed.start)
        if recording.is_over:
            return
        recording.leave()
        self._left.add(followed.is_over)
        logger.error(
            "run %s has ended as %s, and the store has not recorded it in %s s: that is still tried, "
            "and its task goes on", followed.id, state, round(limit, 2),
            extra={"ticker_id": str(followed.id)},
        )  # fmt: skip

    def _on_child_shutdown(self, **_: Any) -> None:
        """Let a child of the pool end, as after its last task, once what it has left is recorded."""
        if not self._left:
            return
        until = time.monotonic() + self._process.get().core.config.lease.total_seconds()
        for is_over in list(self._left):
            is_over.wait(max(0.0, until - time.monotonic()))


def hard_limit_of(task: Any, otherwise: float | None) -> float | None:
    """Return the hard time limit in seconds of what a task executes; ``otherwise`` is its worker's own."""
    hard, _ = task.request.timelimit or (None, None)
    return hard or task.time_limit or otherwise


def longest_wait(hard: float | None, elapsed: timedelta, lease: timedelta) -> float:
    """Return the seconds that a task may wait after it has run so long: a lease, and not into its limit."""
    if hard is None:
        return lease.total_seconds()
    left = hard - elapsed.total_seconds() - _MARGIN
    return min(max(left, _LEAST_WAIT), lease.total_seconds())
