"""Follow an app's Celery tasks in the processes of their bodies, by Celery's own signals.

What runs is Celery's decision: this records it. Celery logs a receiver's exception, which changes nothing.
"""

import logging
import sys
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from celery import signals
from celery.states import FAILURE
from celery.utils.dispatch import Signal

from tickerq_celery.broker.messages import execution_of_request, hand_on
from tickerq_celery.errors import StoreError
from tickerq_celery.tickers.claims import Started
from tickerq_celery.tickers.lifecycle import Outcome
from tickerq_celery.worker.execution_outcome import outcome_of_execution
from tickerq_celery.worker.followed_run import FollowedRun, keep, kept
from tickerq_celery.worker.parts import ProcessParts, WorkerParts
from tickerq_celery.worker.soft_limit import HeldLimit, soft_limit_held_back
from tickerq_celery.worker.start_threads import LONGEST_WAIT, RecordedStart, StartThreads

logger = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class _Followed(FollowedRun):
    """A followed execution in this process; ``is_answered`` once the store has taken or refused its start."""

    begun_at: float
    is_answered: bool = False
    is_late: bool = False
    start: RecordedStart | None = None
    soft_limit: HeldLimit = field(default_factory=HeldLimit)

    def elapsed(self) -> timedelta:
        return timedelta(seconds=time.monotonic() - self.begun_at)


class Follower:
    """Reports when executions begin and how they end, of messages with our header and no others.

    It is connected before a prefork pool forks: its children inherit that.
    """

    def __init__(self, process: ProcessParts[WorkerParts]) -> None:
        self._process = process
        self._threads = StartThreads()
        self._receivers: tuple[tuple[Signal, Any], ...] = (
            (signals.task_prerun, self._on_prerun),
            (signals.task_postrun, self._on_postrun),
        )

    def listen(self) -> None:
        """Connect to the signals of this process and of those that it forks."""
        for signal, receiver in self._receivers:
            signal.connect(receiver, weak=False)

    def close(self) -> None:
        """Disconnect again."""
        for signal, receiver in self._receivers:
            signal.disconnect(receiver)

    def _on_prerun(self, task: Any = None, **_: Any) -> None:
        request = task.request
        execution = execution_of_request(request)
        # Of two apps in one process each follows its own; what a body runs eagerly is no message.
        if execution is None or request.is_eager or task.app is not self._process.get().app:
            return
        parts = self._process.get()
        followed = _Followed(execution=execution, begun_at=time.monotonic())
        keep(request, followed)
        hand_on(execution, request)
        parts.child_marks.begin(execution.id, execution.claim_no)
        with soft_limit_held_back(is_child=parts.child_marks.is_child, before=followed.soft_limit):
            followed.start = self._threads.record(lambda: _record_start(parts, followed))
        if not followed.start.is_over:
            followed.is_late = True
            logger.warning(
                "run %s begins, and the store has not recorded it in %s s", followed.id, LONGEST_WAIT,
                extra={"ticker_id": str(followed.id)},
            )  # fmt: skip

    def _on_postrun(self, task: Any = None, retval: Any = None, state: Any = None, **_: Any) -> None:
        followed, parts = kept(task.request), self._process.get()
        if not isinstance(followed, _Followed) or task.app is not parts.app:
            return
        # What Celery itself raised after the body, as where its result could not be stored.
        raised = sys.exc_info()[1]
        is_child = parts.child_marks.is_child
        with (
            soft_limit_held_back(is_child=is_child),
            parts.child_marks.removed_after(),
        ):
            followed.soft_limit.cancel()
            if raised is None:
                _record_end(parts, followed, state, retval)
            elif isinstance(raised, Exception):
                _record_end(parts, followed, FAILURE, raised)
            elif not is_child:
                # Of a child its main process knows more: whether a limit or a revocation ended it.
                _record_end(parts, followed, None, raised)


def _record_start(parts: WorkerParts, followed: _Followed) -> None:
    try:
        followed.started = parts.executions.start(followed.execution)
        followed.is_answered = True
    except StoreError as error:
        logger.warning(
            "run %s begins, and that is not recorded: %s", followed.id, error,
            extra={"ticker_id": str(followed.id)},
        )  # fmt: skip
    except Exception:
        # Whatever it meets: the thread has other starts to record.
        logger.exception("run %s begins, and that is not recorded", followed.id)


def _record_end(parts: WorkerParts, followed: _Followed, state: str | None, returned: object) -> None:
    elapsed = followed.elapsed()
    try:
        run = _started(parts, followed)
        if run is None:
            return
        outcome = outcome_of_execution(
            run,
            state,
            returned,
            now=parts.core.clock.now(),
            payload_limit=parts.core.config.payload_limit,
        )
        written = parts.executions.finish(run, outcome, elapsed=elapsed)
    except StoreError as error:
        logger.error(  # noqa: TRY400
            "run %s has ended as %s, and that is not recorded: %s", followed.id, state, error,
            extra={"ticker_id": str(followed.id)},
        )  # fmt: skip
        return
    _log_end(run, outcome, elapsed, is_written=written is not None)


def _started(parts: WorkerParts, followed: _Followed) -> Started | None:
    """Return the recorded start, recording it now where the store did not answer in time."""
    start = followed.start
    if start is not None and not start.is_over:
        limit = parts.core.config.lease.total_seconds()
        if not start.wait(lambda: None, limit):
            start.give_up()
            raise StoreError(f"its start is not recorded after {limit:g} s")
    if followed.started is not None or (followed.is_answered and not followed.is_late):
        return followed.started
    return parts.executions.start_late(followed.execution, began=followed.elapsed)


def _log_end(run: Started, outcome: Outcome, elapsed: timedelta, *, is_written: bool) -> None:
    logger.info(
        "run %s of %s %s after %.3f s%s", run.id, run.function, _ending(outcome), elapsed.total_seconds(),
        "" if is_written else ", and goes on by another execution",
        extra={"ticker_id": str(run.id), "claim_no": run.claim_no},
    )  # fmt: skip


def _ending(outcome: Outcome) -> str:
    if outcome.goes_on:
        return f"failed ({outcome.failure.type if outcome.failure else ''}), its message comes again"
    return f"ended {outcome.status.name}"
