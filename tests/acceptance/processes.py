"""Processes of Python and of Celery, each in a session of its own, with its log."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.acceptance.waiting import WAIT_SECONDS, wait_until
from tests.run_mark import inherited

ROOT = Path(__file__).resolve().parents[2]
CELERY = ("celery", "-A", "tests.acceptance.job_app")
PLAIN_CELERY = ("celery", "-A", "tests.acceptance.plain_app")


def launch_python(
    command: Sequence[str], *, folder: Path, environ: Mapping[str, str], log: Path
) -> subprocess.Popen[bytes]:
    """Start a module with its arguments, in a session of its own."""
    with log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-m", *command], cwd=folder, env={**inherited(), **environ},
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip


class CeleryProcess:
    """One ``celery`` command line, or another ``program`` of Python's, with its log."""

    def __init__(
        self,
        name: str,
        arguments: Collection[str],
        *,
        folder: Path,
        environ: Mapping[str, str],
        program: Sequence[str] = CELERY,
        launch: Callable[..., Any] = launch_python,
    ):
        self.name = name
        self.log_path = folder / f"{name}.log"
        self._process = launch((*program, *arguments), folder=folder, environ=environ, log=self.log_path)

    @property
    def pid(self) -> int:
        """The process id, which is the id of its process group."""
        return self._process.pid

    @property
    def log(self) -> str:
        """All that it printed so far."""
        return self.log_path.read_text(errors="replace")

    def lines(self, *words: str) -> list[str]:
        """Return the lines of its log that hold all of these words."""
        return [line for line in self.log.splitlines() if all(word in line for word in words)]

    def is_alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def wait_for(self, text: str) -> None:
        """Return once its log holds this text."""
        wait_until(lambda: text in self.log, lambda: f"{self.name} says {text!r}:\n{self.log}")

    def group(self) -> list[int]:
        """Return the processes of its group that still live, orphans too."""
        stats = list(Path("/proc").glob("[0-9]*/stat"))
        return [int(file.parent.name) for file in stats if _group_of(file) == self.pid]

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to this process alone."""
        self._process.send_signal(number)

    def wait(self, seconds: float = WAIT_SECONDS) -> int:
        """Return its exit code once it has ended by itself."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} did not end in {seconds} s:\n{self.log}") from None

    def stop(self, seconds: float = WAIT_SECONDS) -> int:
        """Ask it to end in good order, and return its exit code."""
        if self.is_alive():
            self.signal(signal.SIGTERM)
        return self.wait(seconds)

    def orphan(self) -> list[int]:
        """Kill it alone, and return what outlives it, once that is one process."""
        self.signal(signal.SIGKILL)
        self.wait()
        wait_until(lambda: len(self.group()) == 1, lambda: f"{self.group()}\n{self.log}")
        return self.group()

    def kill(self) -> None:
        """End it and all its children as a crash of the machine would."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait(WAIT_SECONDS)


def _group_of(stat: Path) -> int | None:
    try:
        state, _, group = stat.read_text().rpartition(")")[2].split()[:3]
    except OSError:  # it has ended
        return None
    return None if state == "Z" else int(group)
