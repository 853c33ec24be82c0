"""Record a followed execution: its beginning, and how it ended, in the process that runs its body."""

import logging
import threading
import time
from dataclasses import dataclass, field
from datetime import timedelta

from tickerq_celery.errors import StoreError
from tickerq_celery.tickers.claims import Started
from tickerq_celery.tickers.lifecycle import Outcome
from tickerq_celery.worker.execution_outcome import outcome_of_execution
from tickerq_celery.worker.followed_run import FollowedRun
from tickerq_celery.worker.parts import WorkerParts
from tickerq_celery.worker.report_threads import Recording
from tickerq_celery.worker.soft_limit import HeldLimit

logger = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Followed(FollowedRun):
    """A followed execution in this process; ``is_answered`` once the store has taken or refused its start."""

    begun_at: float
    is_answered: bool = False
    is_late: bool = False
    start: Recording | None = None
    soft_limit: HeldLimit = field(default_factory=HeldLimit)
    is_over: threading.Event = field(default_factory=threading.Event)

    @property
    def is_refused(self) -> bool:
        """Whether the store has refused its start: it is no execution of a run, or has no end to report."""
        return self.is_answered and self.started is None

    def elapsed(self) -> timedelta:
        """Return how long ago it began."""
        return timedelta(seconds=time.monotonic() - self.begun_at)


def record_start(parts: WorkerParts, followed: Followed) -> None:
    """Record that an execution began; raise nothing."""
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


def record_end(
    parts: WorkerParts, followed: Followed, state: str | None, returned: object, elapsed: timedelta
) -> None:
    """Record how an execution ended, after its beginning where that is not recorded; raise nothing."""
    try:
        _record_end(parts, followed, state, returned, elapsed)
    except StoreError as error:
        logger.error(  # noqa: TRY400
            "run %s has ended as %s, and that is not recorded: %s", followed.id, state, error,
            extra={"ticker_id": str(followed.id)},
        )  # fmt: skip
    except Exception:
        # Celery's task may have gone on without it: there is no other place to log it.
        logger.exception("run %s has ended as %s, and that is not recorded", followed.id, state)


def _record_end(
    parts: WorkerParts, followed: Followed, state: str | None, returned: object, elapsed: timedelta
) -> None:
    run = _started(parts, followed)
    if run is None:
        return
    outcome = outcome_of_execution(
        run,
        state,
        returned,
        now=parts.core.clock.now(),
        payload_limit=parts.core.config.payload_limit,
    ).redacted(parts.core.redact)
    written = parts.executions.finish(run, outcome, elapsed=elapsed)
    _log_end(run, written or outcome, elapsed, is_written=written is not None)


def _started(parts: WorkerParts, followed: Followed) -> Started | None:
    """Return the recorded start, recording it now where the store did not answer in time."""
    if followed.started is not None or (followed.is_answered and not followed.is_late):
        return followed.started
    return parts.executions.start_late(followed.execution, began=followed.elapsed)


def _log_end(run: Started, outcome: Outcome, elapsed: timedelta, *, is_written: bool) -> None:
    logger.info(
        "run %s of %s %s after %.3f s%s", run.id, run.function, _ending(outcome), elapsed.total_seconds(),
        "" if is_written else ", continued by another execution",
        extra={"ticker_id": str(run.id), "claim_no": run.claim_no},
    )  # fmt: skip


def _ending(outcome: Outcome) -> str:
    if outcome.goes_on:
        return f"failed ({outcome.failure.type if outcome.failure else ''}), its message comes again"
    return f"ended {outcome.status.name}"
