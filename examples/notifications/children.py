"""The demo's child processes: started apart from the terminal, shown line by line, and always ended."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

PR_SET_PDEATHSIG = 1
READ_BYTES = 65536

_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


class Child:
    """One running process; what it prints goes to ``show``, a line at a time."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        folder: Path,
        environ: Mapping[str, str],
        show: Callable[[str, str], None],
    ) -> None:
        self.name = name
        self._show = show
        self._rest = b""
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches the demo alone, which stops each child once
            preexec_fn=_die_with_parent(os.getpid()),  # noqa: PLW1509  # the demo has one thread
        )
        assert self._process.stdout is not None
        self._output = self._process.stdout.fileno()
        os.set_blocking(self._output, False)

    def fileno(self) -> int:
        """Return what ``select`` waits on for more output."""
        return self._output

    @property
    def exit_code(self) -> int | None:
        """How the process ended; None while it runs, negative for a signal."""
        return self._process.poll()

    @property
    def ending(self) -> str:
        """How the process ended, in words."""
        code = self.exit_code or 0
        return f"signal {-code}" if code < 0 else f"exit code {code}"

    def show_output(self) -> None:
        """Show every line that has become complete."""
        with contextlib.suppress(BlockingIOError):
            while read := os.read(self._output, READ_BYTES):
                *lines, self._rest = (self._rest + read).split(b"\n")
                for line in lines:
                    self._show(self.name, line.decode(errors="replace"))

    def terminate(self) -> None:
        """Ask the process to end."""
        if self.exit_code is None:
            self._process.terminate()

    def kill(self) -> None:
        """End the process, and whatever it started, if it still runs."""
        if self.exit_code is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


def stop(children: Iterable[Child], *, deadline: float) -> None:
    """End these processes: ask first, kill what still runs at the deadline (monotonic seconds)."""
    asked = list(children)
    for child in asked:
        child.terminate()
    while any(child.exit_code is None for child in asked) and time.monotonic() < deadline:
        for child in asked:
            child.show_output()
        time.sleep(0.05)
    for child in asked:
        child.kill()
        child.show_output()


def _die_with_parent(parent: int) -> Callable[[], None]:
    def ask_the_kernel() -> None:
        if _libc is None:
            return
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the kernel was asked
            os._exit(1)

    return ask_the_kernel
