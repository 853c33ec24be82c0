"""Where one beat or worker runs, again and again, and what was last done to its process."""

import os
import signal
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from tests.acceptance.processes import CeleryProcess

PROGRAM = ("celery", "-A", "tests.soak.soak_app")


class State(Enum):
    """What was last done to a slot's process."""

    RUNNING = auto()
    FROZEN = auto()
    ENDING = auto()
    DOWN = auto()


@dataclass(slots=True, kw_only=True)
class Slot:
    """A slot for one beat or worker; ``until`` is when its state ends (monotonic)."""

    name: str
    command: str
    arguments: tuple[str, ...] = ()
    pool: str = ""
    state: State = State.DOWN
    until: float = 0.0
    pause: float = 0.0
    process: CeleryProcess | None = None
    starts: int = 0

    @property
    def running(self) -> CeleryProcess:
        """The process that fills the slot."""
        assert self.process is not None, f"{self.name} was never started"
        return self.process

    @property
    def is_beat(self) -> bool:
        """Whether beats run here, and not workers."""
        return self.command == "beat"

    def fill(self, *, folder: Path, environ: Mapping[str, str]) -> None:
        """Start the next process of this slot; its log has a name of its own."""
        self.starts += 1
        self.process = CeleryProcess(
            f"{self.name}-{self.starts}",
            (self.command, "--loglevel", "info", *self.arguments),
            folder=folder,
            environ=environ,
            program=PROGRAM,
        )

    def is_ready(self) -> bool:
        """Whether its process has come to the end of its start."""
        return ("beat: Starting..." if self.is_beat else " ready.") in self.running.log

    def is_at_work(self) -> bool:
        """Whether its process has begun to take messages, or to dispatch."""
        return any(word in self.running.log for word in (" received", " dispatched "))


def signal_all(pids: Collection[int], number: signal.Signals) -> None:
    """Send a signal to those processes that are still there."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def make_slots() -> Sequence[Slot]:
    """Return the slots of two beats and three workers, of different pools."""
    beats = [Slot(name=f"beat{n}", command="beat") for n in (1, 2)]
    pools = (("prefork", 2), ("threads", 4), ("prefork", 3))
    workers = [
        Slot(
            name=f"worker{n}",
            command="worker",
            pool=pool,
            arguments=("--pool", pool, "--concurrency", str(concurrency), "-n", f"worker{n}@%h"),
        )
        for n, (pool, concurrency) in enumerate(pools, 1)
    ]
    return [*beats, *workers]
