"""What Celery's state of an execution means for the records of its run."""

from datetime import UTC, datetime, timedelta
from typing import Any

from celery.exceptions import Reject, Retry
from celery.states import IGNORED, RETRY, SUCCESS

from tickerq_celery.payload import results
from tickerq_celery.tickers.claims import Started
from tickerq_celery.tickers.lifecycle import (
    Outcome,
    published_again,
    rejected,
    retried_by_celery,
    skipped,
    succeeded,
)
from tickerq_celery.worker.verdict import failure_of, reason_of, text_of

# A longer wait than any that a broker keeps.
_LONGEST_WAIT = timedelta(days=3650)


def outcome_of_execution(
    run: Started, state: str | None, returned: object, *, now: datetime, payload_limit: int
) -> Outcome:
    """Return the outcome of an execution that Celery ended in ``state`` with a value or an exception.

    A state of None is that of a body which was to end its process.
    """
    if isinstance(returned, Reject):
        is_requeued = bool(getattr(returned, "requeue", False))
        return (published_again if is_requeued else rejected)(run.standing, failure_of(returned))
    if state == RETRY and isinstance(returned, Retry):
        failure = failure_of(reason_of(returned))
        return retried_by_celery(run.standing, failure, _wait_until(returned.when, now))
    if state == IGNORED:
        return skipped(run.standing, _reason_to_ignore(returned))
    if state == SUCCESS:
        result = results.written(returned, limit=payload_limit) if run.has_children else None
        return succeeded(run.standing, result=result)
    error = returned if isinstance(returned, BaseException) else RuntimeError(f"its state is {state}")
    return rejected(run.standing, failure_of(error))


def _reason_to_ignore(error: object) -> str:
    return (text_of(error) if isinstance(error, BaseException) else "") or "Ignore"


def _wait_until(when: Any, now: datetime) -> timedelta:
    """Return how long a retry waits: ``when`` are seconds, or a moment; one without a zone is read as UTC."""
    if isinstance(when, datetime):
        when = ((when if when.tzinfo else when.replace(tzinfo=UTC)) - now).total_seconds()
    if not isinstance(when, int | float) or not 0 <= when <= _LONGEST_WAIT.total_seconds():
        return timedelta(0)
    return timedelta(seconds=when)
