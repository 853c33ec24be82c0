"""What a soak comes to in numbers."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from tests.soak.history import History
from tests.soak.recovery_rules import ZERO, wait_in_calm
from tests.soak.traces import AttemptRow, Certainty, Ended
from tests.soak.violation import DOUBLES, LOSSES, Violation
from tickerq_celery.enums import TickerStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Counts, and the longest times."""

    committed: int
    rolled_back: int
    unknown: int
    # Of chains, stored with their parents.
    children: int
    occurrences: int
    overlaps: int
    missed_instants: int
    starts: int
    retries: int
    rescues: int
    ended_by: dict[TickerStatus, int]
    losses: int
    doubles: int
    # Runs whose body reached its good end more than once, each time but the last in an attempt that is
    # recorded as lost.
    repeated_effects: int
    # Bodies that came to their end after their attempt had been recorded as lost.
    zombies: int
    # Of functions without a limit: elsewhere a run waits for its slot, too.
    # From the blow that hit a run's process (or, where it died by plan, from its start) to its next start.
    longest_recovery: timedelta
    # From a one-off ticker's execution time to the first start of its body.
    longest_lateness: timedelta
    # After the faults had ended, between two steps of a run.
    longest_wait: timedelta
    refused_finishes: int


def figures_of(history: History, violations: Sequence[Violation]) -> Figures:
    """Return the figures of a history."""
    # A child was not reported to its caller: it is there if its parent is.
    certainties = [each.certainty for each in history.added if each.follows is None]
    skipped = [
        each for each in history.occurrences if history.run_of[each.run_id].status is TickerStatus.SKIPPED
    ]
    return Figures(
        committed=certainties.count(Certainty.COMMITTED),
        rolled_back=certainties.count(Certainty.ROLLED_BACK),
        unknown=certainties.count(Certainty.UNKNOWN),
        children=sum(run.parent_id is not None for run in history.runs),
        occurrences=len(history.occurrences) - len(skipped),
        overlaps=len(skipped),
        missed_instants=sum(skip.count for skip in history.skips),
        starts=len(history.started),
        retries=sum(run.retry_count for run in history.runs),
        rescues=sum(attempt.is_rescue for attempt in history.attempts),
        ended_by={
            status: count
            for status in TickerStatus
            if (count := sum(run.status is status for run in history.runs))
        },
        losses=sum(violation.rule in LOSSES for violation in violations),
        doubles=sum(violation.rule in DOUBLES for violation in violations),
        repeated_effects=_repeated_effects(history),
        zombies=sum(_is_zombie(history, end) for end in history.ended),
        longest_recovery=max((_recovery(history, each) for each in history.attempts), default=ZERO),
        longest_lateness=_longest_lateness(history),
        longest_wait=_longest_wait(history),
        refused_finishes=history.refused_finishes,
    )


def _repeated_effects(history: History) -> int:
    good_ends = Counter(end.ticker_id for end in history.ended if not end.has_failed)
    return sum(count > 1 for count in good_ends.values())


def _is_zombie(history: History, end: Ended) -> bool:
    attempt = history.attempt_of.get((end.ticker_id, end.claim_no))
    return attempt is not None and attempt.is_rescue and end.at > attempt.ended_at


def _recovery(history: History, lost: AttemptRow) -> timedelta:
    """Return how long a lost attempt's run was without a process that runs it; zero for other attempts."""
    run = history.run_of.get(lost.ticker_id)
    if not lost.is_rescue or run is None or history.must_wait(run.function):
        return ZERO
    starts = history.starts_of.get(lost.ticker_id, ())
    later = [start.at for start in starts if start.claim_no > lost.claim_no]
    mine = [start for start in starts if start.claim_no == lost.claim_no]
    began = mine[0].at if mine else lost.started_at
    hit = [
        blow.at
        for blow in history.blows
        if mine and mine[0].pid in blow.pids and began <= blow.at <= lost.ended_at
    ]
    return min(later, default=lost.ended_at) - min(hit, default=began)


def _longest_wait(history: History) -> timedelta:
    if history.calm is None:
        return ZERO
    return max((wait_in_calm(history, history.calm, run) for run in history.runs), default=ZERO)


def _longest_lateness(history: History) -> timedelta:
    longest = ZERO
    for run_id, starts in history.starts_of.items():
        run, due = history.run_of.get(run_id), history.due_of.get(run_id)
        if run is None or run.serial is None or history.must_wait(run.function):
            continue
        if due is not None:
            longest = max(longest, min(start.at for start in starts) - due)
    return longest
