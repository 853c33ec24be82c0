"""Which action helps a run as it is: the page makes that the main one, or none."""

from collections.abc import Container
from uuid import UUID

from tickerq_celery import Run, TickerStatus
from tickerq_celery.enums import RETRIABLE
from tickerq_celery.views import RunExplanation, WaitCause

CLONE, RELEASE, RESUME, RETRY, RUN_NOW = "clone", "release", "resume", "retry", "run-now"
# For which a run waits that is due already: an earlier moment changes nothing.
_NOT_FOR_TIME = frozenset(
    {
        WaitCause.LIMIT,
        WaitCause.KEY,
        WaitCause.RATE,
        WaitCause.BACKLOG,
        WaitCause.PARENT,
        WaitCause.OVERLAP,
        WaitCause.LOCK,
        WaitCause.BROKER,
    }
)


def helping_of(run: Run, explanation: RunExplanation | None, lost: Container[UUID | None] = ()) -> str | None:
    """Return the slug of the action that helps a run, by what it waits for, or a retry of it would.

    None where none does: it has no worker, it waits for another run, it is well.
    """
    if run.running_on in lost:
        return RELEASE
    if run.status in RETRIABLE:
        return _of_ended(explanation)
    if run.status is not TickerStatus.IDLE or explanation is None:
        return None
    causes = {each.cause for each in explanation.waits}
    if WaitCause.FUNCTION in causes:
        return None
    if WaitCause.PAUSE in causes:
        return RESUME
    return RUN_NOW if _NOT_FOR_TIME.isdisjoint(causes) else None


def _of_ended(explanation: RunExplanation | None) -> str | None:
    if explanation is None:
        return RETRY
    if explanation.needs_other_request:
        return CLONE
    causes = {each.cause for each in explanation.retry_waits}
    if WaitCause.FUNCTION in causes:
        return None
    return RESUME if WaitCause.PAUSE in causes else RETRY
