"""Ends a server whose test run has died: ``python guard.py PROCESS_GROUP SIGNAL FOLDER``.

Standard input is a pipe from the test run. A byte on it says that the run has ended the server itself; an end
of file without one says that the run is gone, however it died.
"""

import contextlib
import os
import shutil
import signal
import sys
import time
from pathlib import Path


def is_running(pid: int) -> bool:
    """Return True if a process still runs; one that ended and was not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def end_group(group: int, first_signal: int, *, timeout_seconds: float = 5.0) -> None:
    """End a process group: by ``first_signal``, and by SIGKILL what is left when its leader has ended."""
    deadline = time.monotonic() + timeout_seconds
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, first_signal)
        while is_running(group) and time.monotonic() < deadline:
            time.sleep(0.02)
        os.killpg(group, signal.SIGKILL)


def main() -> None:
    """Wait for the test run to say that all is well, or to vanish."""
    group, first_signal, folder = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    if not sys.stdin.buffer.read(1):
        end_group(group, first_signal)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
