"""A reader's terminals: a folder, and the commands that run in it, as a document writes them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

WAIT_SECONDS = 60.0
STOP_SECONDS = 20.0


class Terminals:
    """What runs in one folder, with an environment that has nothing of the tests'."""

    def __init__(self, folder: Path, environ: Mapping[str, str] | None = None) -> None:
        self._folder = folder
        paths = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        inherited = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
        self._environ = {**inherited, "PATH": paths, "PYTHONUNBUFFERED": "1", **(environ or {})}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def run(self, command: str) -> str:
        """Run a command to its end and return what it printed."""
        ended = subprocess.run(
            command, shell=True, cwd=self._folder, env=self._environ,
            capture_output=True, text=True, check=False, timeout=WAIT_SECONDS,
        )  # fmt: skip
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    def start(self, name: str, command: str) -> None:
        """Start what runs until it is stopped."""
        with (self._folder / f"{name}.txt").open("wb") as output:
            process = subprocess.Popen(
                f"exec {command}", shell=True, cwd=self._folder, env=self._environ,
                stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        self._processes[name] = process

    def printed(self, name: str) -> str:
        return (self._folder / f"{name}.txt").read_text(errors="replace")

    def wait_for(self, is_there: Callable[[], object], *names: str) -> None:
        deadline = time.monotonic() + WAIT_SECONDS
        while not is_there():
            assert all(process.poll() is None for process in self._processes.values()), self._all(names)
            assert time.monotonic() < deadline, self._all(names)
            time.sleep(0.1)

    def stop(self) -> list[int]:
        """Ask everything to stop, and return the exit codes."""
        for process in self._processes.values():
            process.terminate()
        return [process.wait(STOP_SECONDS) for process in self._processes.values()]

    def crash(self, name: str) -> None:
        """Kill one of them with its children, which what follows does without."""
        process = self._processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(STOP_SECONDS)

    def kill(self) -> None:
        for name in list(self._processes):
            if self._processes[name].poll() is None:
                self.crash(name)

    def _all(self, names: tuple[str, ...]) -> str:
        return "\n".join(f"--- {name}\n{self.printed(name)}" for name in names)
