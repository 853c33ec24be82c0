"""The mark that all which a run of the tests starts has in its environment, so that nothing is left of it."""

import os
import sys
import uuid

from tests import run_guard
from tests.run_guard import VARIABLE


def begin_run() -> None:
    """Mark what this process starts from now on, and have it killed as soon as this process has ended."""
    run = uuid.uuid4().hex
    # A run inside of another one is of that one, too.
    os.environ[VARIABLE] = f"{os.environ.get(VARIABLE, '')}/{run}"
    if sys.platform != "linux":  # no other system shows the mark
        return
    command = [sys.executable, "-I", "-S", run_guard.__file__, run, str(os.getpid())]
    pipe, _held = os.pipe()
    # A session of its own protects it from the terminal's Ctrl-C.
    os.posix_spawn(
        command[0], command, os.environ, setsid=True, file_actions=[(os.POSIX_SPAWN_DUP2, pipe, 0)]
    )
    os.close(pipe)


def inherited() -> dict[str, str]:
    """Return what a process needs of the tests' environment that must have none of their settings."""
    names = ("PATH", "HOME", "LANG", VARIABLE)
    return {name: os.environ[name] for name in names if name in os.environ}
