"""Which other run a run waits for: its parent in a chain, or the occurrence that holds the overlap lock."""

from collections.abc import Iterator

from tickerq_celery.enums import TERMINAL, HoldReason, RunCondition, TickerKind, TickerStatus
from tickerq_celery.health.phrases import before_it
from tickerq_celery.health.waiting.case import Reason, WaitingCase, holder_of, reason
from tickerq_celery.store.health.waiting import OtherRun
from tickerq_celery.tickers.explanations import WaitCause
from tickerq_celery.wording import moment

CONDITIONS = {
    RunCondition.ON_SUCCESS: "It runs if its parent succeeds",
    RunCondition.ON_FAILURE: "It runs if its parent fails",
    RunCondition.ON_CANCELLED: "It runs if its parent is cancelled",
    RunCondition.ON_FAILURE_OR_CANCELLED: "It runs if its parent fails or is cancelled",
    RunCondition.ON_ANY_COMPLETED_STATUS: "It runs when its parent has ended, unless that is skipped",
    RunCondition.IN_PROGRESS: "It runs when its parent starts",
}


def parent(case: WaitingCase) -> Iterator[Reason]:
    """Yield what a child of a chain waits for."""
    run, above = case.run, case.facts.parent
    if run.held_for is not HoldReason.PARENT:
        return
    wanted = RunCondition.ON_ANY_COMPLETED_STATUS if run.run_condition is None else run.run_condition
    if above is None:
        yield reason(WaitCause.PARENT, "its parent", f"{CONDITIONS[wanted]}, which is not there any more.")
        return
    text = f"{CONDITIONS[wanted]}: {above.id} ({above.function}) {standing(case, above)}."
    yield reason(
        WaitCause.PARENT,
        f"its parent {above.function}, which is {above.status_word}",
        f"{text}{_unreported(case, above)}",
        remedy=f"`tickerq explain {above.id}` says what its parent waits for"
        if above.status not in TERMINAL
        else f"give it up, `tickerq cancel {run.id}`",
    )


def overlap(case: WaitingCase) -> Iterator[Reason]:
    """Yield what an occurrence waits for that may not overlap; nothing where the lock is free."""
    run, holder = case.run, case.facts.lock_holder
    if run.held_for is not HoldReason.OVERLAP or holder is None:
        return
    ahead = before_it(case.facts.before, "other occurrence")
    yield reason(
        WaitCause.OVERLAP,
        f"the overlap lock, which {holder.id} holds",
        f"Occurrences of its cron ticker {run.cron_ticker_id} may not overlap, and {holder.id} holds the "
        f"overlap lock: it {standing(case, holder)}.{ahead}",
        remedy=f"`tickerq explain {holder.id}` says what that one waits for, and " + end_of(holder),
    )


def end_of(other: OtherRun) -> str:
    """Return what ends another run that is active; one that was asked to end and runs still is killed."""
    if other.status is TickerStatus.IN_PROGRESS and other.cancel_request is not None:
        return f"`tickerq cancel --terminate {other.id}` kills it, as it was asked to end and has not"
    return f"`tickerq cancel {other.id}` ends it"


def standing(case: WaitingCase, other: OtherRun) -> str:
    """Return how another run stands, as the end of a sentence about it."""
    if other.status is TickerStatus.IN_PROGRESS:
        since = other.started_at or other.locked_at
        return f"is in progress on {holder_of(other)}" + ("" if since is None else f" since {moment(since)}")
    if other.status is TickerStatus.QUEUED and other.published_at is not None:
        return f"was published {moment(other.published_at)} and has not started"
    if other.status is TickerStatus.QUEUED:
        return "is claimed, and not published yet"
    if other.held_for is not None:
        return f"is Idle itself, and held for {other.held_for.value}"
    if other.due_at is not None and other.due_at > case.at:
        return f"is Idle itself, and due {moment(other.due_at)}"
    return f"is {other.status_word}"


def _unreported(case: WaitingCase, above: OtherRun) -> str:
    """Return that no worker would report the end of a published Celery task, which its children need."""
    is_published = above.status is TickerStatus.QUEUED and above.published_at is not None
    if above.kind is not TickerKind.CELERY_TASK or not is_published or case.consumers(above.queue):
        return ""
    queue = "" if above.queue is None else f" consumes its queue {above.queue} and"
    return (
        " That is the call of a Celery task, whose end only a worker with this TickerQ reports, and no live "
        f"worker{queue or ' is there that'} would: until one does, its children wait."
    )
