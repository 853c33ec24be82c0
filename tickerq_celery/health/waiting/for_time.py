"""Why a run is not due yet: its own time, a retry, or a claim that was given back."""

from collections.abc import Iterator
from datetime import datetime

from tickerq_celery.enums import HoldReason, TickerType
from tickerq_celery.health.phrases import comes, in_line
from tickerq_celery.health.waiting.case import Reason, WaitingCase, reason
from tickerq_celery.tickers.explanations import WaitCause
from tickerq_celery.wording import moment


def not_due(case: WaitingCase) -> Iterator[Reason]:
    """Yield why an Idle run that nothing holds is due later."""
    run = case.run
    if run.due_at is None or run.due_at <= case.at:
        return
    if run.claim_no and run.locked_at is None:
        yield _returned(case, run.due_at)
    elif run.claim_no and run.retry_count and run.exception_type is not None:
        yield _retry(case, run.due_at)
    else:
        yield _time(case, run.due_at)


def later_than_hold(case: WaitingCase) -> Iterator[Reason]:
    """Yield the own time of a run that waits for its parent or for the overlap lock as well."""
    run = case.run
    at = run.not_before if run.held_for is HoldReason.OVERLAP else run.execution_time
    if run.held_for in {HoldReason.OVERLAP, HoldReason.PARENT} and at is not None and at > case.at:
        text = f"Nor does it run before its own time, which comes {comes(at, case.at)}."
        yield reason(WaitCause.TIME, f"its time, {moment(at)}", text, until=at)


def _time(case: WaitingCase, at: datetime) -> Reason:
    run = case.run
    asked = ""
    if run.execution_time is not None and run.execution_time != at:
        asked = f" Its execution time is {moment(run.execution_time)}."
    return reason(
        WaitCause.TIME,
        f"its time, {moment(at)}",
        f"Its time has not come: it is due {comes(at, case.at)}.{asked}",
        until=at,
        remedy=_start_now(case),
    )


def _retry(case: WaitingCase, at: datetime) -> Reason:
    run = case.run
    return reason(
        WaitCause.RETRY,
        f"retry {run.retry_count} of {run.retries}, {comes(at, case.at)}",
        f"Retry {run.retry_count} of {run.retries} comes {comes(at, case.at)}. "
        f"The attempt before it failed with {run.exception_type}.",
        until=at,
        remedy=_start_now(case),
        error_head=in_line(run.exception_message) if run.exception_message else None,
    )


def _returned(case: WaitingCase, at: datetime) -> Reason:
    run = case.run
    route = case.route(run)
    cause = "the log of the beat or worker that had it says why"
    if route.error is not None:
        cause = f"its queue cannot be found out: {route.error}"
    return reason(
        WaitCause.RETURN,
        f"another try to publish it, {comes(at, case.at)}",
        f"Its message could not be published, or reached a worker of another namespace, so that claim "
        f"{run.claim_no} was given back: {cause}. It is due again {comes(at, case.at)}.",
        until=at,
        remedy=f"correct its route or its queue (`tickerq check`); {_start_now(case) or 'wait'}",
    )


def _start_now(case: WaitingCase) -> str | None:
    if case.run.type is not TickerType.TIME_TICKER:
        return None
    return f'`tickerq run {case.run.id}`, or `time_tickers.run_now("{case.run.id}")`, starts it now'
