"""Which status may follow which, and what the end of an attempt means for its run."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from tickerq_celery import validation
from tickerq_celery.enums import RETRIABLE, SUCCEEDED, TERMINAL, UNENDED, OnLost, TickerStatus
from tickerq_celery.errors import (
    IllegalTransitionError,
    TerminateExecution,
    TickerCancelled,
    TickerValidationError,
)
from tickerq_celery.tickers.retry_policy import RetryPolicy
from tickerq_celery.wording import shortened

LOST = "WorkerLost"
REFUSED_TEXTS = "the database refused the texts of this end, so they were not recorded"
_TRANSITIONS = {
    TickerStatus.IDLE: frozenset({TickerStatus.QUEUED, TickerStatus.CANCELLED, TickerStatus.SKIPPED}),
    # To its end at once goes the call of a Celery task that no worker follows.
    TickerStatus.QUEUED: TERMINAL | {TickerStatus.IDLE, TickerStatus.IN_PROGRESS},
    TickerStatus.IN_PROGRESS: TERMINAL | {TickerStatus.IDLE},
    **{ended: frozenset({TickerStatus.IDLE}) for ended in RETRIABLE},
}
# What workers report of a Celery task: Celery may retry its message, and a broker deliver it once more, at
# any time, also after the run has ended. One that is Queued again waits for a message that Celery has sent.
_OF_A_CALL = {
    **{before: after | {TickerStatus.IN_PROGRESS} for before, after in _TRANSITIONS.items()},
    TickerStatus.IDLE: _TRANSITIONS[TickerStatus.IDLE],
    TickerStatus.IN_PROGRESS: TERMINAL | UNENDED,
    # Done at its publication, and then revoked, or unknown to the worker that got it.
    **{
        ended: frozenset({TickerStatus.IN_PROGRESS, TickerStatus.CANCELLED, TickerStatus.FAILED})
        for ended in SUCCEEDED
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What is kept of an exception."""

    type: str
    message: str
    traceback: str | None = None

    def redacted(self, redact: Callable[[str], str]) -> "Failure":
        """Return the same failure with what ``redact`` leaves of its texts."""
        return replace(
            self, message=redact(self.message), traceback=self.traceback and redact(self.traceback)
        )

    def without_texts(self) -> "Failure":
        """Return the same failure for a database that refused its texts."""
        return Failure(type=self.type.encode("ascii", "backslashreplace").decode(), message=REFUSED_TEXTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What to write when an attempt ends.

    ``attempt_status`` goes to the attempt, ``status`` to the run: Idle with a ``wait`` where the run
    goes on, Queued where it waits for a message that Celery sends after that, else a terminal one. ``result``
    is kept for the run's children. ``is_lost`` says that the body's own end is not known.
    """

    status: TickerStatus
    attempt_status: TickerStatus
    wait: timedelta | None = None
    retry_count: int = 0
    rescue_count: int = 0
    failure: Failure | None = None
    skipped_reason: str | None = None
    result: bytes | None = None
    is_lost: bool = False

    def redacted(self, redact: Callable[[str], str]) -> "Outcome":
        """Return the same outcome with what ``redact`` leaves of its texts."""
        reason = self.skipped_reason
        return replace(
            self,
            failure=self.failure and self.failure.redacted(redact),
            skipped_reason=reason and redact(reason),
        )

    def without_texts(self) -> "Outcome":
        """Return the same outcome for a database that refused its texts: a note in ASCII stands for them."""
        return replace(
            self,
            failure=self.failure and self.failure.without_texts(),
            skipped_reason=self.skipped_reason and REFUSED_TEXTS,
        )

    @property
    def goes_on(self) -> bool:
        """Whether the run will have another attempt."""
        return self.status not in TERMINAL

    @property
    def gives_way(self) -> bool:
        """Whether the run is Cancelled instead where its cancel was requested."""
        return self.goes_on or self.is_lost

    @property
    def is_failure(self) -> bool:
        """Whether the run has failed for good."""
        return self.status is TickerStatus.FAILED


def check_transition(before: TickerStatus, after: TickerStatus, *, of_a_call: bool = False) -> None:
    """Refuse a move that the protocol does not know, of a function's run or of the call of a Celery task.

    Raises:
        IllegalTransitionError: ``after`` may not follow ``before``.
    """
    moves = _OF_A_CALL if of_a_call else _TRANSITIONS
    if after not in moves.get(before, frozenset()):
        raise IllegalTransitionError(before.name, after.name)


def takes_execution(before: TickerStatus, *, retry_count: int, retries: int) -> bool:
    """Return True if a reported execution becomes that of its run: no later retry has begun.

    Nor was its claim given up, so that the call is published anew.
    """
    return retry_count <= retries and TickerStatus.IN_PROGRESS in _OF_A_CALL[before]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a run stood when its attempt began: all that decides what the attempt's end means."""

    retry_count: int
    rescue_count: int
    is_late: bool
    policy: RetryPolicy


def succeeded(standing: Standing, *, result: bytes | None = None) -> Outcome:
    """Return the outcome of a body that returned: DueDone where the run was late, else Done."""
    status = TickerStatus.DUE_DONE if standing.is_late else TickerStatus.DONE
    return replace(_ended(standing, status, None), result=result)


def failed(standing: Standing, failure: Failure) -> Outcome:
    """Return the outcome of a body that raised: another attempt while retries are left, else Failed."""
    wait = standing.policy.wait_before(standing.retry_count + 1)
    if wait is None:
        return _ended(standing, TickerStatus.FAILED, failure)
    return Outcome(
        status=TickerStatus.IDLE,
        attempt_status=TickerStatus.FAILED,
        wait=wait,
        retry_count=standing.retry_count + 1,
        rescue_count=standing.rescue_count,
        failure=failure,
    )


def cancelled(standing: Standing, failure: Failure) -> Outcome:
    """Return the outcome of a body that gave up because its run was cancelled: no retry."""
    return _ended(standing, TickerStatus.CANCELLED, failure)


def withdrawn(standing: Standing, outcome: Outcome) -> Outcome:
    """Return what becomes of an attempt's outcome where a cancel of its run was requested."""
    return _ended(standing, TickerStatus.CANCELLED, outcome.failure) if outcome.gives_way else outcome


def skipped(standing: Standing, reason: str) -> Outcome:
    """Return the outcome of a body that asked for its end to be ignored: Skipped."""
    return _ended(standing, TickerStatus.SKIPPED, None, skipped_reason=reason)


def rejected(standing: Standing, failure: Failure) -> Outcome:
    """Return the outcome of a body that refused its run for good: Failed, whatever retries are left."""
    return _ended(standing, TickerStatus.FAILED, failure)


def put_back(standing: Standing, failure: Failure, *, max_rescues: int) -> Outcome:
    """Return the outcome of a body that wants its run to start again, which uses up a rescue, no retry."""
    return _again(standing, failure) if standing.rescue_count < max_rescues else rejected(standing, failure)


def terminated(standing: Standing, error: TerminateExecution) -> Outcome:
    """Return the outcome that a body asked for by raising TerminateExecution; Skipped by default."""
    asked = TickerStatus.SKIPPED if error.status is None else error.status
    status = _status_named(asked)
    if status not in TERMINAL:
        reason = (
            f"TerminateExecution asked for {shortened(asked)}, which is no terminal status: {error.message}"
        )
        return _ended(standing, TickerStatus.FAILED, Failure(type="TerminateExecution", message=reason))
    if status is TickerStatus.SKIPPED:
        return _ended(standing, status, None, skipped_reason=error.message)
    return _ended(standing, status, Failure(type="TerminateExecution", message=error.message))


def _status_named(asked: object) -> TickerStatus | None:
    try:
        return validation.member("status", asked, TickerStatus)
    except TickerValidationError:
        return None


def lost(standing: Standing, *, on_lost: OnLost, max_rescues: int, message: str) -> Outcome:
    """Return the outcome of an attempt whose worker died: a rescue uses up no retry."""
    failure = Failure(type=LOST, message=message)
    if on_lost is OnLost.FAIL or standing.rescue_count >= max_rescues:
        return replace(_ended(standing, TickerStatus.FAILED, failure), is_lost=True)
    return replace(_again(standing, failure), is_lost=True)


def lost_call(standing: Standing, *, on_lost: OnLost, max_rescues: int, message: str) -> Outcome:
    """Return the outcome of a Celery task's execution whose worker died: a new message has no retries yet."""
    outcome = lost(standing, on_lost=on_lost, max_rescues=max_rescues, message=message)
    return replace(outcome, retry_count=0) if outcome.goes_on else outcome


def retried_by_celery(standing: Standing, failure: Failure, wait: timedelta) -> Outcome:
    """Return the outcome of an execution after which Celery retries its task: published, and not ended."""
    return replace(published_again(standing, failure, wait), retry_count=standing.retry_count + 1)


def published_again(standing: Standing, failure: Failure, wait: timedelta = timedelta(0)) -> Outcome:
    """Return the outcome of an execution after which the same message comes again."""
    return Outcome(
        status=TickerStatus.QUEUED,
        attempt_status=TickerStatus.FAILED,
        wait=wait,
        retry_count=standing.retry_count,
        rescue_count=standing.rescue_count,
        failure=failure,
    )


def outcome_of(error: Exception, failure: Failure, standing: Standing) -> Outcome:
    """Return the outcome of a body that raised ``error``."""
    if isinstance(error, TerminateExecution):
        return terminated(standing, error)
    if isinstance(error, TickerCancelled):
        return cancelled(standing, failure)
    return failed(standing, failure)


def _again(standing: Standing, failure: Failure) -> Outcome:
    return Outcome(
        status=TickerStatus.IDLE,
        attempt_status=TickerStatus.FAILED,
        wait=timedelta(0),
        retry_count=standing.retry_count,
        rescue_count=standing.rescue_count + 1,
        failure=failure,
    )


def _ended(
    standing: Standing, status: TickerStatus, failure: Failure | None, skipped_reason: str | None = None
) -> Outcome:
    return Outcome(
        status=status,
        attempt_status=status,
        retry_count=standing.retry_count,
        rescue_count=standing.rescue_count,
        failure=failure,
        skipped_reason=skipped_reason,
    )
