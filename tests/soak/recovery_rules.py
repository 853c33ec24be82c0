"""How long a run may be stalled once the faults have ended."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

from tests.soak.history import History
from tests.soak.traces import Calm, RunRow
from tests.soak.violation import Rule, Violation

ZERO = timedelta(0)


def runs_get_going(history: History) -> Iterator[Violation]:
    """After the faults no run is stalled for longer than it may: due, started, or waiting for a retry."""
    if history.calm is None:
        return
    for run in history.runs:
        wait = wait_in_calm(history, history.calm, run)
        if wait > history.calm.longest_wait:
            attempts = history.attempts_of.get(run.id, ())
            yield Violation(
                rule=Rule.RECOVERY_IS_BOUNDED,
                subject=run.id,
                evidence=f"stalled for {wait} after {history.calm.since}: {run} {attempts}",
            )


def wait_in_calm(history: History, calm: Calm, run: RunRow) -> timedelta:
    """Return the longest time, after the faults, between two steps of a run: due, and starts and ends.

    Also where the faults destroyed its message, however often that had happened before. Where a function has
    a limit, a run waits for its slot, too: it counts as if it did not wait.
    """
    due = history.due_of.get(run.id)
    if due is None or history.must_wait(run.function):
        return ZERO
    steps = [due]
    for attempt in history.attempts_of.get(run.id, ()):
        steps += [attempt.started_at, attempt.ended_at]
    return max((later - max(earlier, calm.since) for earlier, later in pairwise(steps)), default=ZERO)


RECOVERY_RULES = (runs_get_going,)
