"""A failpoint that a test sets, and what became of it."""

import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.acceptance.processes import CeleryProcess
from tests.acceptance.waiting import wait_until
from tests.inner import CrashPoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Trap:
    """Set in several processes, it meets whichever passes first, and no other."""

    point: CrashPoint
    number: signal.Signals
    token: Path

    @classmethod
    def at(cls, point: CrashPoint, number: signal.Signals, *, token: Path) -> Self:
        """Return a trap that is ready, and not yet set in any process."""
        token.touch()
        return cls(point=point, number=number, token=token)

    @property
    def text(self) -> str:
        """What the environment of a process shall say."""
        return f"{self.point} {self.number.name} {self.token}"

    def wait(self, *processes: CeleryProcess) -> CeleryProcess:
        """Return the one of these processes that was met, or a child of which was, once it is."""
        line = f"failpoint {self.point}: {self.number.name}"
        [met] = wait_until(
            lambda: [process for process in processes if line in process.log],
            lambda: f"{line}\n" + "\n".join(process.log for process in processes),
        )
        assert not self.token.exists()
        if self.number is signal.SIGSTOP:
            wait_until_stopped(met)
        return met


def wait_until_stopped(process: CeleryProcess) -> None:
    """Return once a process, or a child of it, is stopped: a SIGCONT that came before would be lost."""
    wait_until(lambda: "T" in map(_state_of, process.group()), lambda: f"a stop of {process.name}")


def _state_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:  # it has ended
        return ""
