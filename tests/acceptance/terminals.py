"""A reader's terminals: a folder, and the commands that run in it, as a document writes them."""

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.run_mark import inherited

WAIT_SECONDS = 60.0
STOP_SECONDS = 20.0


class Terminals:
    """What runs in one folder, with an environment that has nothing of the tests'.

    The commands are a shell's, in processes that start from nothing. With ``launch``, a warm server's, each
    is ``celery …`` or ``python file.py …``, and starts in little time.
    """

    def __init__(
        self,
        folder: Path,
        environ: Mapping[str, str] | None = None,
        launch: Callable[..., Any] | None = None,
    ) -> None:
        self._folder = folder
        self._warm = launch
        paths = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        self._environ = {**inherited(), "PATH": paths, "PYTHONUNBUFFERED": "1", **(environ or {})}
        self._processes: dict[str, Any] = {}

    def run(self, command: str) -> str:
        """Run a command to its end and return what it printed, errors apart where it is a shell's."""
        if self._warm is not None:
            code = self._launch("command", command).wait(WAIT_SECONDS)
            assert code == 0, self.printed("command")
            return self.printed("command")
        ended = subprocess.run(
            command, shell=True, cwd=self._folder, env=self._environ,
            capture_output=True, text=True, check=False, timeout=WAIT_SECONDS,
        )  # fmt: skip
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    def start(self, name: str, command: str) -> None:
        """Start what runs until it is stopped."""
        self._processes[name] = self._launch(name, command)

    def _launch(self, name: str, command: str) -> Any:
        log = self._log(name)
        if self._warm is not None:
            return self._warm(_module(command), folder=self._folder, environ=self._environ, log=log)
        with log.open("wb") as output:
            return subprocess.Popen(
                f"exec {command}", shell=True, cwd=self._folder, env=self._environ,
                stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    def _log(self, name: str) -> Path:
        return self._folder / f"{name}.txt"

    def printed(self, name: str) -> str:
        return self._log(name).read_text(errors="replace")

    def wait_for(self, is_there: Callable[[], object], *names: str, seconds: float = WAIT_SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while not is_there():
            assert all(process.poll() is None for process in self._processes.values()), self._all(names)
            assert time.monotonic() < deadline, self._all(names)
            time.sleep(0.1)

    def stop(self) -> list[int]:
        """Ask everything to stop, and return the exit codes."""
        for process in self._processes.values():
            process.send_signal(signal.SIGTERM)
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


def _module(command: str) -> list[str]:
    """Return the module that a command runs, and its arguments."""
    program, *arguments = shlex.split(command)
    if program == "python":
        file, *arguments = arguments
        return [file.removesuffix(".py"), *arguments]
    return [program, *arguments]
