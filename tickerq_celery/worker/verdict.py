"""What an exception that a function let out means: for the store, for the handler, and for Celery."""

import math
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from celery.exceptions import Ignore, MaxRetriesExceededError, Reject, Retry

from tickerq_celery import validation
from tickerq_celery.errors import TerminateExecution
from tickerq_celery.tickers.lifecycle import (
    Failure,
    Outcome,
    Standing,
    outcome_of,
    put_back,
    rejected,
    skipped,
)


def retry_asked_for(arguments: Mapping[str, Any], *, now: datetime) -> Retry:
    """Return what a ticker's ``Task.retry`` raises; a ``max_retries`` overrides the ticker's own.

    Raises:
        TickerValidationError: The wait is longer than 30 days, or no wait, or ``max_retries`` no number.
    """
    cause, most = arguments.get("exc"), arguments.get("max_retries")
    # Celery's own class: its name is what is recorded. The number that it lacks travels with it.
    asked = _new_retry(cause, _asked_moment(arguments.get("countdown"), arguments.get("eta"), now))
    asked.__cause__ = cause
    if most is not None:
        most = validation.whole("max_retries", most, 0, validation.MOST_RETRIES)
    asked.max_retries = most
    return cast("Retry", asked)


def _asked_moment(countdown: Any, eta: object, now: datetime) -> Any:
    if eta is not None:
        moment = validation.moment("eta", eta)
        validation.duration("eta", max(timedelta(0), moment - now))
        return moment
    if countdown is None:
        return None
    is_past = isinstance(countdown, int | float) and countdown < 0
    # Celery's Retry shows seconds.
    return validation.duration("countdown", 0 if is_past else countdown).total_seconds()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The outcome of an attempt that raised, and the ``error`` that it is shown by.

    ``is_accident`` says that the exception handler is notified: the function did not decide so itself.
    """

    error: Exception
    outcome: Outcome
    is_accident: bool = True


def verdict_on(error: Exception, standing: Standing, *, now: datetime, max_rescues: int) -> Verdict:
    """Return what becomes of an attempt whose function raised ``error``."""
    if isinstance(error, Reject):
        failure, celerys_reject = failure_of(error), cast("Any", error)
        again = put_back(standing, failure, max_rescues=max_rescues)
        outcome = again if celerys_reject.requeue else rejected(standing, failure)
        return Verdict(error=error, outcome=outcome, is_accident=False)
    if isinstance(error, Retry):
        return _verdict_on_retry(error, standing, now)
    if isinstance(error, Ignore):
        return Verdict(error=error, outcome=skipped(standing, text_of(error) or "Ignore"), is_accident=False)
    return Verdict(
        error=error,
        outcome=outcome_of(error, failure_of(error), standing),
        is_accident=not isinstance(error, TerminateExecution),
    )


def celery_exception(error: Exception, outcome: Outcome) -> Exception:
    """Return what to raise so that Celery's events and the log say what was stored."""
    if outcome.wait is not None:
        new: Exception = _new_retry(error, outcome.wait.total_seconds())
        return new
    if not outcome.is_failure:
        return Ignore()
    return MaxRetriesExceededError("no retry is left") if isinstance(error, Retry) else error


def _new_retry(cause: Exception | None, when: Any) -> Any:
    made = Retry(exc=cause, when=when)
    # Celery's puts itself first among its own arguments: a cycle that would hold the cause, and so the frames
    # of the body, until a full garbage collection.
    made.args = made.args[1:]
    return made


def failure_of(error: BaseException) -> Failure:
    """Return what is kept of an exception."""
    return Failure(
        type=f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins."),
        message=text_of(error),
        traceback="".join(traceback.format_exception(error)),
    )


def _verdict_on_retry(error: Retry, standing: Standing, now: datetime) -> Verdict:
    shown = reason_of(error)
    most = getattr(error, "max_retries", None)
    if most is not None:
        standing = replace(standing, policy=replace(standing.policy, limit=most))
    outcome = outcome_of(shown, failure_of(shown), standing)
    wait = _wait(error.when, now)
    return Verdict(
        error=shown, outcome=replace(outcome, wait=wait) if outcome.goes_on and wait is not None else outcome
    )


def reason_of(error: Retry) -> Exception:
    """Return what the body's ``retry`` was called for."""
    # Not `exc` first: that is a copy which can be pickled, sometimes of another type.
    reasons = (error.__cause__, error.exc, error.__context__)
    return next((reason for reason in reasons if isinstance(reason, Exception)), error)


def _wait(when: Any, now: datetime) -> timedelta | None:
    """Return the wait that ``countdown=…`` or ``eta=…`` asked for, or None for the ticker's own interval."""
    wait = (when.astimezone(UTC) - now).total_seconds() if isinstance(when, datetime) else when
    if not isinstance(wait, int | float) or math.isnan(wait):
        return None
    # What `retry` refuses may still come in a Retry that the function made itself.
    return timedelta(seconds=min(max(0, wait), validation.LONGEST_INTERVAL.total_seconds()))


def text_of(error: BaseException) -> str:
    """Return the text of an exception, whatever its class does."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - the user's __str__
        return f"<{type(error).__name__} whose text cannot be made>"
