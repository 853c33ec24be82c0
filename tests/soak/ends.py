"""What the end of a process says: whether it was asked to end, and whether it took too long."""

import signal
from dataclasses import dataclass, field

from tests.soak.slot import Slot
from tests.soak.violation import Rule, Violation

# Whatever is frozen, unreachable or busy meanwhile: the promise knows no exception.
BEAT_SECONDS = 10.0
# A worker lets its bodies end first; and a beat that still imports its modules has made no promise yet.
END_SECONDS = 20.0
# How a worker with threads ends when one of its bodies ends the process by plan.
_PLANNED_ENDS = frozenset({3, -signal.SIGKILL})


@dataclass(slots=True)
class Ends:
    """Judges ends; each list holds names of logs.

    Of ``unasked`` processes that ended without being asked to, of those ``given_up`` by Celery after an
    error of its own, and of workers and beats that were too slow, and had to be killed.
    """

    unasked: list[str] = field(default_factory=list)
    given_up: list[str] = field(default_factory=list)
    slow_workers: list[str] = field(default_factory=list)
    slow_beats: list[str] = field(default_factory=list)

    def judge(self, slot: Slot) -> None:
        """Judge an end that was not asked for, or one that went wrong."""
        code = slot.running.wait()
        if slot.pool == "threads" and code in _PLANNED_ENDS:
            return
        is_celerys = not slot.is_beat and is_celerys_own(slot.running.log)
        ends = self.given_up if is_celerys else self.unasked
        ends.append(f"{slot.running.log_path.name}: exit code {code}")

    def note_slow(self, slot: Slot) -> None:
        """Note that a process did not end in its time."""
        slow = self.slow_beats if slot.is_beat else self.slow_workers
        slow.append(slot.running.log_path.name)

    def violations(self) -> list[Violation]:
        """Return what the ends broke."""
        found = [(Rule.PROCESSES_ENDURE, each) for each in self.unasked]
        found += [(Rule.BEATS_END_IN_TIME, each) for each in self.slow_beats]
        return [Violation(rule=rule, subject=None, evidence=each) for rule, each in found]


def seconds_to_end(slot: Slot) -> float:
    """Return how long a process may take to end once it is asked to."""
    return BEAT_SECONDS if slot.is_beat and slot.is_ready() else END_SECONDS


def is_celerys_own(log: str) -> bool:
    """Whether a worker's log ends in an error that it could not recover from, and that is not ours."""
    _, found, rest = log.rpartition("Unrecoverable error")
    return bool(found) and "tickerq_celery" not in rest
