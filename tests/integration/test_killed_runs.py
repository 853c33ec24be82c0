"""Nothing is left behind by a run of the tests that was killed."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.acceptance.waiting import wait_until
from tests.nested import environment, pytest_command, python_path
from tests.run_guard import VARIABLE, has_mark
from tests.servers.availability import require
from tests.servers.guard import is_running

# Tests of tests.
pytestmark = [
    pytest.mark.verify,
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="only Linux shows a run's mark"),
]

# Starts another one that is in no session or group of it.
SLEEPS = """
import os, subprocess, sys, time
open(f"{os.getpid()}.pid", "w").close()
if "alone" not in sys.argv:
    subprocess.Popen([sys.executable, __file__, "alone"], start_new_session=True)
time.sleep(60)
"""
TESTS = """
import os
import time
from pathlib import Path

import pytest

from tests.acceptance.processes import launch_python

@pytest.mark.parametrize("number", range(2))
def test_that_starts_processes(number, warm_server, start_server, tmp_path):
    server = start_server("redis")
    os.chdir("pids")
    Path(f"{server.pid}.pid").touch()
    Path(f"{os.getpid()}.pid").touch()
    for launch in (warm_server.launch, launch_python):
        launch(["sleeps"], folder=Path.cwd(), environ={}, log=tmp_path / "log")
    if os.fork() == 0:
        Path(f"{os.getpid()}.pid").touch()
    time.sleep(60)
"""
# Of each test: its own with a fork, a server, and two that start one each.
PROCESSES = 7


@pytest.fixture
def pids(tmp_path: Path) -> Iterator[Path]:
    """The folder in which each process leaves its id; what lives of them is ended."""
    folder = tmp_path / "pids"
    folder.mkdir()
    (folder / "sleeps.py").write_text(SLEEPS)
    yield folder
    for pid in living(folder):
        # None but a process of this run, should it have got the id of one that has ended.
        if has_mark(Path(f"/proc/{pid}"), os.environ[VARIABLE].rpartition("/")[2]):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def living(folder: Path) -> list[int]:
    return [int(file.stem) for file in folder.glob("*.pid") if is_running(int(file.stem))]


@pytest.mark.parametrize(
    ("options", "tests", "number"),
    [(("-n", "2"), 2, signal.SIGKILL), ((), 1, signal.SIGKILL), (("-n", "2"), 2, signal.SIGTERM)],
    ids=["two processes", "one process", "two that are asked to end"],
)
def test_ten_seconds_after_a_run_was_killed_no_process_of_it_lives(
    options: tuple[str, ...],
    tests: int,
    number: signal.Signals,
    tmp_path: Path,
    pids: Path,
    pytestconfig: pytest.Config,
) -> None:
    require(pytestconfig, "redis")
    (tmp_path / "test_some.py").write_text(TESTS)
    environ = environment(VERIFY="1", PYTHONPATH=python_path())
    command = pytest_command(tmp_path, *options)
    with subprocess.Popen(command, cwd=tmp_path, env=environ, stdout=subprocess.DEVNULL) as run:
        wait_until(lambda: len(living(pids)) == tests * PROCESSES, lambda: f"{living(pids)} of {command}")
        run.send_signal(number)
    wait_until(lambda: not living(pids), lambda: f"{living(pids)} have ended", seconds=10)
