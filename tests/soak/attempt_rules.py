"""What the attempts of one run must say, of each other and of the run."""

from collections.abc import Iterator
from itertools import pairwise

from tests.soak.history import History
from tests.soak.traces import Added, AttemptRow, RunRow
from tests.soak.violation import Rule, Violation
from tests.unmet import is_unmet_reason
from tickerq_celery.enums import SUCCEEDED, TERMINAL, TickerStatus

_ENDED_BY_A_BODY = SUCCEEDED | {TickerStatus.FAILED}
# A run may end so without an attempt: a missed instant, an overlap.
_WITHOUT_ATTEMPT = frozenset({TickerStatus.SKIPPED})


def finishes_are_their_claims_own(history: History) -> Iterator[Violation]:
    """What a body wrote at its end was written by the claim that started, and says how the body ended."""
    for attempt in history.attempts:
        if attempt.is_rescue:
            continue
        claim = (attempt.ticker_id, attempt.claim_no)
        starts = [s for s in history.starts_of.get(attempt.ticker_id, ()) if s.claim_no == attempt.claim_no]
        ends = history.ends_of.get(claim, ())
        if not starts or [end.has_failed for end in ends] != [attempt.status is TickerStatus.FAILED]:
            yield Violation(
                rule=Rule.NO_STALE_FINISH,
                subject=attempt.ticker_id,
                evidence=f"{attempt}, but the body's lines are {starts} {list(ends)}",
            )


def attempts_follow_each_other(history: History) -> Iterator[Violation]:
    """Attempts are numbered in the order of their claims, and each begins after the one before it ended."""
    for run_id, attempts in history.attempts_of.items():
        numbers = [attempt.number for attempt in attempts]
        wrong = [] if numbers == list(range(len(attempts))) else [f"numbers {numbers}"]
        wrong += [f"ends before it starts: {each}" for each in attempts if each.ended_at < each.started_at]
        for earlier, later in pairwise(attempts):
            if later.started_at < earlier.ended_at:
                wrong.append(f"overlap: {earlier} {later}")
            if earlier.status is not TickerStatus.FAILED:
                wrong.append(f"an attempt after the end: {earlier} {later}")
        for evidence in wrong:
            yield Violation(rule=Rule.ATTEMPTS_IN_ORDER, subject=run_id, evidence=evidence)


def runs_end_as_their_last_attempt(history: History) -> Iterator[Violation]:
    """A terminal run has the status of its last attempt, which is of the run's own claim.

    Only a run that goes on, or that others ended, may have been claimed again since.
    """
    for run in history.runs:
        attempts = history.attempts_of.get(run.id, ())
        last = attempts[-1] if attempts else None
        if not _ends_as(run, last):
            yield Violation(
                rule=Rule.END_IS_THE_LAST_ATTEMPTS, subject=run.id, evidence=f"{run}, last attempt {last}"
            )


def _ends_as(run: RunRow, last: AttemptRow | None) -> bool:
    if last is None:
        return run.status not in TERMINAL - _WITHOUT_ATTEMPT
    if run.status in TERMINAL and last.status is not run.status:
        return False
    if run.status in _ENDED_BY_A_BODY:
        return last.claim_no == run.claim_no
    return last.claim_no <= run.claim_no


def counts_equal_the_attempts(history: History) -> Iterator[Violation]:
    """``retry_count`` and ``rescue_count`` are the attempts of each kind that the run went on after."""
    for run in history.runs:
        attempts = history.attempts_of.get(run.id, ())
        went_on = attempts[:-1] if run.status in TERMINAL else attempts
        rescues = sum(attempt.is_rescue for attempt in went_on)
        counts = (len(went_on) - rescues, rescues)
        if (run.retry_count, run.rescue_count) != counts:
            yield Violation(
                rule=Rule.COUNTS_ARE_TRUE,
                subject=run.id,
                evidence=f"{run}, but the attempts show {counts[0]} retries and {counts[1]} rescues",
            )


def retries_obey_the_plan(history: History) -> Iterator[Violation]:
    """A run whose body fails k times ends well after k retries, or fails for good where it has fewer."""
    for run in history.runs:
        added = history.added_of.get(run.serial) if run.serial is not None else None
        if run.status not in TERMINAL or _is_rightly_skipped(run):
            continue
        failed = _failed_by_itself(history.attempts_of.get(run.id, ()))
        wanted = _planned_failures(added)
        if failed != wanted or (run.status in SUCCEEDED) != _is_to_succeed(added) or _is_given_up(run):
            yield Violation(
                rule=Rule.RETRIES_OBEY_THE_PLAN,
                subject=run.id,
                evidence=f"{run} has {failed} failed attempts, the plan says {wanted}: {added}",
            )


def _is_rightly_skipped(run: RunRow) -> bool:
    """Whether other rules judge why a run did not run: an occurrence, or a child."""
    if run.status is not TickerStatus.SKIPPED:
        return False
    return run.serial is None or (run.parent_id is not None and is_unmet_reason(run.skipped_reason))


def _failed_by_itself(attempts: tuple[AttemptRow, ...]) -> int:
    return sum(each.status is TickerStatus.FAILED and not each.is_rescue for each in attempts)


def _planned_failures(added: Added | None) -> int:
    return 0 if added is None else min(added.fails, added.retries + 1)


def _is_to_succeed(added: Added | None) -> bool:
    return added is None or added.fails <= added.retries


def _is_given_up(run: RunRow) -> bool:
    return run.status in {TickerStatus.CANCELLED, TickerStatus.SKIPPED}


ATTEMPT_RULES = (
    finishes_are_their_claims_own,
    attempts_follow_each_other,
    runs_end_as_their_last_attempt,
    counts_equal_the_attempts,
    retries_obey_the_plan,
)
