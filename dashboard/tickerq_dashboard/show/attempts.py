"""Attempts of runs in lists and in the head of a run's page: how many there were, how many there may be."""

from datetime import timedelta

from tickerq_celery import Attempt, Run, TickerStatus
from tickerq_celery.enums import UNSTARTED
from tickerq_celery.views import RunSummary
from tickerq_dashboard.show.words import is_call, plural

MOST_DOTS = 6
# As the error of an attempt whose worker died: when it was found lost stands as its end.
WORKER_LOST = "WorkerLost"


def attempts_made(run: Run | RunSummary) -> tuple[int, int]:
    """Return how many attempts a run has begun, and how many it may have as it stands.

    It may have one, and one more for each of its retries; a rescue adds one, and a retry that was asked for
    lets it have as many again.
    """
    if is_call(run):
        return run.executions, run.executions
    before = run.attempts_before + run.rescue_count
    made = before + run.retry_count + (1 if _has_last(run) else 0)
    return made, max(made, before + run.retries + 1)


def _has_last(run: Run | RunSummary) -> bool:
    """Whether the attempt has begun that followed those which led to another one."""
    if run.status is TickerStatus.CANCELLED and _why_it_did_not_run(run):
        # It waited, maybe for a retry: its start is that of the attempt before.
        return False
    if run.status in {TickerStatus.SKIPPED, TickerStatus.CANCELLED}:
        return run.started_at is not None
    return run.status not in UNSTARTED


def _why_it_did_not_run(run: Run | RunSummary) -> str | None:
    return run.skipped_reason if isinstance(run, Run) else run.skipped_head


def attempts_given(run: Run | RunSummary) -> str:
    """Return what a run was given beside its retries: "with 1 rescue"; empty where that is nothing."""
    rescues = f"with {plural(run.rescue_count, 'rescue')}" if run.rescue_count else ""
    before = f"{run.attempts_before:,} before it was retried" if run.attempts_before else ""
    return ", ".join(filter(None, (rescues, before)))


def attempt_dots(run: Run | RunSummary) -> str:
    """Return a letter for each attempt made: f failed, d done, c cancelled, r runs; none beyond six."""
    made, _ = attempts_made(run)
    if made == 0 or made > MOST_DOTS or is_call(run):
        return ""
    last = {
        TickerStatus.DONE: "d", TickerStatus.DUE_DONE: "d", TickerStatus.CANCELLED: "c",
        TickerStatus.IN_PROGRESS: "r",
    }.get(run.status, "f")  # fmt: skip
    return "f" * (made - 1) + (last if _has_last(run) else "f")


def is_lost(attempt: Attempt) -> bool:
    """Whether an attempt's worker died, so that its end is when that was found."""
    return attempt.exception_type == WORKER_LOST


def attempt_ran(attempt: Attempt, run: Run) -> timedelta | None:
    """Return how long an attempt of a run ran; None where that is not known.

    That of the last one is the run's, as its worker measured it; of those before, the start and end are kept.
    """
    if attempt.started_at is None or is_lost(attempt):
        return None
    if attempt == run.attempts[-1] and run.elapsed is not None:
        return run.elapsed
    return attempt.ended_at - attempt.started_at


def attempt_error(attempt: Attempt) -> tuple[str | None, str | None]:
    """Return what tells whether two attempts failed alike."""
    return attempt.exception_type, attempt.exception_message
