"""One process of a server, in a process group of its own that cannot outlive the test run."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.servers import guard
from tests.servers.account import Account
from tests.servers.finding import SYSTEM_PATH


class ServerProcess:
    """A running server process; its output goes to ``server.log`` in its folder."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        folder: Path,
        account: Account,
        environment: Mapping[str, str],
        end_signal: signal.Signals,
    ) -> None:
        self._folder = folder
        self._end_signal = end_signal
        with (folder / "server.log").open("ab") as log:
            # A session of its own protects it from the terminal's Ctrl-C: fixtures end it in good order.
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=clean_environment(folder, environment),
                start_new_session=True,
                **account.popen_arguments(),
            )
        self._guard = self._start_guard()

    @property
    def pid(self) -> int:
        """The process id, which is the id of the process group as well."""
        return self._process.pid

    def is_alive(self) -> bool:
        """Return True if the process itself still runs."""
        return self._process.poll() is None

    def freeze(self) -> None:
        """Keep the process and all its children from running; the kernel still answers for them."""
        # The parent first, so that it can have no children that are not frozen.
        os.kill(self.pid, signal.SIGSTOP)
        self._to_all(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen process and its children run on."""
        self._to_all(signal.SIGCONT)

    def stop(self, stop_signal: signal.Signals, *, timeout_seconds: float = 30.0) -> None:
        """Ask the process to end and wait for it, then make sure that nothing of its group is left."""
        if self.is_alive():
            # A frozen one would not handle it.
            self.thaw()
            self._process.send_signal(stop_signal)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout_seconds)
        self.kill()

    def kill(self) -> None:
        """End the process and all its children by SIGKILL."""
        self._to_all(signal.SIGKILL)
        self._process.wait()
        self._dismiss_guard()

    def _to_all(self, number: signal.Signals) -> None:
        children = _descendants(self.pid)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, number)

    def _start_guard(self) -> subprocess.Popen[bytes]:
        arguments = (str(self.pid), str(int(self._end_signal)), str(self._folder))
        return subprocess.Popen(
            [sys.executable, "-I", "-S", guard.__file__, *arguments],
            stdin=subprocess.PIPE,
            # Without the run's mark, by which it would be killed before it has ended the server.
            env={},
            start_new_session=True,
        )

    def _dismiss_guard(self) -> None:
        with contextlib.suppress(BrokenPipeError, ValueError):
            self._guard.communicate(b".")


def clean_environment(folder: Path, extra: Mapping[str, str]) -> dict[str, str]:
    """Return an environment that does not depend on the user's, with the folder as HOME."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *SYSTEM_PATH])
    return {"PATH": path, "HOME": str(folder), "TMPDIR": str(folder), "LANG": "C.UTF-8", **extra}


def _descendants(pid: int) -> list[int]:
    """Return the children of a process, and theirs: some servers move theirs out of the process group."""
    try:
        children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
    return [found for child in children for found in (child, *_descendants(child))]
