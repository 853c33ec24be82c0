"""Which fault comes when: decided beforehand, from a seed."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from random import Random


class FaultKind(StrEnum):
    """What can be done to a process or a server."""

    KILL_BEAT = "beat killed"
    KILL_WORKER = "worker killed with its children"
    KILL_MAIN = "worker's main process killed alone"
    KILL_CHILD = "pool child killed"
    FREEZE_WORKER = "worker stopped for longer than its lease"
    FREEZE_MAIN = "worker's main process stopped for longer than its lease"
    FREEZE_BEAT = "beat stopped for longer than its lease"
    END_WORKER = "worker asked to end (SIGTERM)"
    QUIT_WORKER = "worker asked to quit (SIGQUIT)"
    END_BEAT = "beat asked to end (SIGTERM)"
    FLUSH_REDIS = "Redis flushed"
    RESTART_REDIS = "Redis restarted"
    RESTART_POSTGRES = "PostgreSQL killed and started again"


KILLS = frozenset({FaultKind.KILL_BEAT, FaultKind.KILL_WORKER, FaultKind.KILL_MAIN, FaultKind.KILL_CHILD})
# How often each comes in one round; a minute holds a round.
_ROUND: Mapping[FaultKind, int] = {
    FaultKind.KILL_BEAT: 4,
    FaultKind.KILL_WORKER: 3,
    FaultKind.KILL_MAIN: 1,
    FaultKind.KILL_CHILD: 3,
    FaultKind.FREEZE_WORKER: 2,
    FaultKind.FREEZE_MAIN: 2,
    FaultKind.FREEZE_BEAT: 1,
    FaultKind.END_WORKER: 1,
    FaultKind.QUIT_WORKER: 2,
    FaultKind.END_BEAT: 1,
    FaultKind.FLUSH_REDIS: 2,
    FaultKind.RESTART_REDIS: 1,
    FaultKind.RESTART_POSTGRES: 1,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault: it comes ``after`` seconds, takes the process that ``choice`` (0 to 1) points at, and lasts.

    ``pause`` is how long what was ended stays down, in seconds, or how much longer than its lease what was
    stopped stays so.
    """

    kind: FaultKind
    after: float
    choice: float
    pause: float


class FaultPlan:
    """An endless supply of faults, the same for the same seed; each round holds every kind."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._round: list[FaultKind] = []

    def next(self) -> Fault:
        """Return the next fault."""
        if not self._round:
            self._round = [kind for kind, times in _ROUND.items() for _ in range(times)]
            self._random.shuffle(self._round)
        return Fault(
            kind=self._round.pop(),
            after=self._random.uniform(1, 3),
            choice=self._random.random(),
            pause=self._random.uniform(0.2, 2.5),
        )
