"""Explain why a run does not run: all causes in order, or that it is in progress, or how it ended."""

from dataclasses import replace

from tickerq_celery.enums import RETRIABLE, TERMINAL, HoldReason, NodeKind, TickerStatus
from tickerq_celery.health.failures import is_of_request
from tickerq_celery.health.phrases import in_line, span
from tickerq_celery.health.waiting import (
    for_beats,
    for_functions,
    for_limits,
    for_pauses,
    for_rescues,
    for_runs,
    for_time,
    for_workers,
)
from tickerq_celery.health.waiting.case import Reason, WaitingCase, holder_of
from tickerq_celery.tickers.explanations import RunExplanation, WaitCause
from tickerq_celery.tickers.known_outcomes import outcome_known
from tickerq_celery.tickers.node_views import NodeState
from tickerq_celery.wording import moment

_LONGEST_SUMMARY = 120
CAUSE_OF = {
    HoldReason.FUNCTION: WaitCause.FUNCTION,
    HoldReason.LIMIT: WaitCause.LIMIT,
    HoldReason.KEY: WaitCause.KEY,
    HoldReason.RATE: WaitCause.RATE,
    HoldReason.PAUSED: WaitCause.PAUSE,
    HoldReason.PARENT: WaitCause.PARENT,
    HoldReason.OVERLAP: WaitCause.OVERLAP,
}


def explained(case: WaitingCase) -> RunExplanation:
    """Return why a run does not run, or that it does or has ended."""
    run = case.run
    if run.status in TERMINAL:
        return _of_end(case)
    if run.status is TickerStatus.IN_PROGRESS:
        return _in_progress(case)
    reasons = _queued(case) if run.status is TickerStatus.QUEUED else _idle(case)
    return _explanation(case, _waits_for(reasons), reasons=reasons)


def _of_end(case: WaitingCase) -> RunExplanation:
    run = case.run
    found = _explanation(case, _ended(case), detail=_end_of(case), remedy=_after_end(case))
    if run.status not in RETRIABLE:
        return found
    reasons = [*for_pauses.pauses(case), *for_functions.function(case)]
    misfits = case.outside.misfits
    return replace(
        found,
        retry_waits=tuple(each.wait for each in reasons),
        needs_other_request=bool(misfits) or is_of_request(run.exception_type, run.exception_message),
        misfits=misfits,
    )


def _explanation(
    case: WaitingCase,
    summary: str,
    *,
    reasons: list[Reason] | None = None,
    detail: str | None = None,
    remedy: str | None = None,
) -> RunExplanation:
    run = case.run
    return RunExplanation(
        run_id=run.id,
        function=run.function,
        status=run.status,
        at=case.at,
        origin=run.origin,
        summary=in_line(summary, _LONGEST_SUMMARY),
        detail=detail,
        waits=tuple(each.wait for each in reasons or ()),
        remedy=remedy,
    )


def _waits_for(reasons: list[Reason]) -> str:
    more = len(reasons) - 1
    # What is cut off is what the first cause is called, and not that there are others.
    rest = f"; {more} more" if more else ""
    return f"Waits for {in_line(reasons[0].short, _LONGEST_SUMMARY - 10 - len(rest))}{rest}"


def _idle(case: WaitingCase) -> list[Reason]:
    run, facts = case.run, case.facts
    current = [
        *for_pauses.pauses(case),
        *for_runs.parent(case),
        *for_runs.overlap(case),
        *for_functions.function(case),
        *for_limits.limits(case),
    ]
    first: list[Reason] = []
    if run.held_for is not None:
        is_first = WaitCause.BACKLOG if for_limits.is_for_queue(case) else CAUSE_OF[run.held_for]
        first = [each for each in current if each.wait.cause is is_first]
        first = first or [for_beats.sweep(case)]
    elif facts.is_due:
        first = list(for_beats.lock(case))
    else:
        first = list(for_time.not_due(case))
    rest = [each for each in current if each not in first]
    beats = list(for_beats.beat(case))
    if run.held_for is None and facts.is_due:
        broker = list(for_beats.broker(case))
        # Beats that live complete no tick as long as their broker does not answer.
        causes = [*broker, *beats] if case.nodes_of(NodeKind.BEAT, NodeState.ALIVE) else [*beats, *broker]
        return [*first, *causes, *rest] or list(for_beats.claim(case))
    return [*first, *for_time.later_than_hold(case), *rest, *beats] or list(for_beats.claim(case))


def _queued(case: WaitingCase) -> list[Reason]:
    found = list(for_workers.message(case))
    if case.run.published_at is not None:
        # That no worker is alive at all is said already.
        if case.workers and not _names_function(found):
            found += for_functions.function(case)
        return [*for_beats.lock(case), *found, *for_beats.beat(case)]
    return [
        *for_beats.broker(case),
        *for_beats.lock(case),
        *found,
        *for_functions.function(case),
        *for_beats.beat(case),
    ]


def _names_function(reasons: list[Reason]) -> bool:
    return any(each.wait.cause is WaitCause.FUNCTION for each in reasons)


def _in_progress(case: WaitingCase) -> RunExplanation:
    run = case.run
    reasons = list(for_rescues.rescue(case))
    since = "" if run.started_at is None else f" since {moment(run.started_at)}"
    cancel = ", and a cancel was requested" if run.cancel_request is not None else ""
    summary = f"In progress on {holder_of(run)}{since}{cancel}"
    detail = f"It does not wait: it is in progress on {holder_of(run)}{since}{_length(case)}."
    if cancel:
        detail += " A cancel was requested: its body ends when it looks for that, or with its process."
    if reasons:
        reasons += for_beats.beat(case)
        return _explanation(case, _waits_for(reasons), reasons=reasons, detail=None)
    verb = f"`tickerq cancel --terminate {run.id}` kills its process"
    if not cancel:
        verb = f"`tickerq cancel {run.id}` asks it to end; {verb}"
    return _explanation(case, summary, detail=detail, remedy=verb)


def _length(case: WaitingCase) -> str:
    started_at = case.run.started_at
    return "" if started_at is None else f", for {span(case.at - started_at)}"


def _ended(case: WaitingCase) -> str:
    run = case.run
    at = "" if run.ended_at is None else f" {moment(run.ended_at)}"
    cause = {
        TickerStatus.FAILED: run.exception_type,
        TickerStatus.SKIPPED: run.skipped_reason,
        TickerStatus.CANCELLED: run.skipped_reason,
    }.get(run.status)
    return f"{run.status_word}{at}" + ("" if cause is None else f": {cause}")


def _end_of(case: WaitingCase) -> str:
    run = case.run
    where = "" if run.ended_on is None else f" on {run.ended_on}"
    at = "" if run.ended_at is None else f" {moment(run.ended_at)}"
    if not outcome_known(run.kind, run.status, run.started_at):
        return (
            f"It waits for nothing: its message was published{at}, and no worker reported what became of it."
            " Whether the task succeeded is in Celery's results."
        )
    text = f"It waits for nothing: it ended as {run.status}{at}{where}."
    if run.status is TickerStatus.FAILED and run.exception_type is not None:
        message = f": {in_line(run.exception_message)}" if run.exception_message else ""
        retries = f" after {run.retry_count} of {run.retries} retries" if run.retries else ""
        text += f" Its last attempt failed{retries} with {run.exception_type}{message}."
    elif run.skipped_reason:
        text += f" {in_line(run.skipped_reason)}."
    return text


def _after_end(case: WaitingCase) -> str | None:
    run = case.run
    if run.status not in RETRIABLE:
        return None
    if case.outside.misfits:
        return (
            "a retry cannot help until the code or the request changes: the request does not fit what "
            f"{run.function} takes; `tickerq clone {run.id} --request JSON` makes a run with another"
        )
    if is_of_request(run.exception_type, run.exception_message):
        return (
            f"a retry reads the same stored request: `tickerq clone {run.id} --request JSON` makes one with "
            f"another, and `tickerq retry {run.id}` helps once a worker can read this one"
        )
    return f'`tickerq retry {run.id}`, or `runs.retry("{run.id}")`, lets it start again'
