"""Ends what a run of the tests leaves behind, however it died: ``python run_guard.py RUN PID``.

PID is the run's first process. What that starts has the run's mark in the environment it was started with,
even if it has cleared that since; what it forks shares its end of the pipe that is standard input here.
"""

import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

VARIABLE = "RUN_OF_TESTS"


def has_mark(process: Path, run: str) -> bool:
    """Return True if a process of ``/proc`` was started in a run, or in a run inside of it."""
    try:
        variables = (process / "environ").read_text(errors="replace").split("\0")
    except OSError:  # it has ended, or is another user's
        return False
    marks = [value for name, _, value in (each.partition("=") for each in variables) if name == VARIABLE]
    return any(run in mark.split("/") for mark in marks)


def has_pipe(process: Path, pipe: Path) -> bool:
    """Return True if a process of ``/proc`` has an end of a pipe."""
    with suppress(OSError):
        for file in (process / "fd").iterdir():
            with suppress(OSError):  # it was closed meanwhile
                if file.readlink() == pipe:
                    return True
    return False


def kill(process: Path, run: str, pipe: Path) -> bool:
    """Kill a process of ``/proc`` if it is of the run; return whether it was."""
    with suppress(ProcessLookupError):
        # Before it is looked at, so that no other process that gets its id meanwhile is killed.
        handle = os.pidfd_open(int(process.name))
        try:
            if has_mark(process, run) or has_pipe(process, pipe):
                signal.pidfd_send_signal(handle, signal.SIGKILL)
                return True
        finally:
            os.close(handle)
    return False


def kill_all(run: str, pipe: Path) -> int:
    """Kill all processes of the run but this one, and return how many those were."""
    others = [each for each in Path("/proc").glob("[0-9]*") if each.name != str(os.getpid())]
    return sum(kill(each, run, pipe) for each in others)


def main() -> None:
    """Wait until the run's first process has ended, and kill until nothing is left."""
    run, first = sys.argv[1], int(sys.argv[2])
    # Its end of the pipe would say it late, since forks have that, too.
    while os.getppid() == first:
        time.sleep(0.1)
    while kill_all(run, Path("/proc/self/fd/0").readlink()):
        time.sleep(0.05)


if __name__ == "__main__":
    main()
