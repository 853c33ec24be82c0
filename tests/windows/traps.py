"""A failpoint that a test sets, and what became of it."""

import signal
from dataclasses import dataclass
from pathlib import Path

from tests.acceptance.processes import CeleryProcess, wait_until
from tickerq_celery.failpoints import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Trap:
    """Set in several processes, it meets whichever passes first, and no other."""

    place: Place
    number: signal.Signals
    token: Path

    @property
    def text(self) -> str:
        """What the environment of a process shall say."""
        return f"{self.place} {self.number.name} {self.token}"

    def wait(self, *processes: CeleryProcess) -> CeleryProcess:
        """Return the one of these processes that was met, or a child of which was, once it is."""
        line = f"failpoint {self.place}: {self.number.name}"
        [met] = wait_until(
            lambda: [process for process in processes if line in process.log],
            lambda: f"{line}\n" + "\n".join(process.log for process in processes),
        )
        assert not self.token.exists()
        return met
