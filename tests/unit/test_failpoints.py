"""A failpoint does nothing unless it is set, and acts once, whichever process passes it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import tickerq_celery
from tickerq_celery.failpoints import VARIABLE, CrashPoint

PACKAGE = Path(tickerq_celery.__file__).parent
# Without the package's own __init__, which would import all of it.
PASSES_TWO_POINTS = f"""
import os, sys, types
package = sys.modules["tickerq_celery"] = types.ModuleType("tickerq_celery")
package.__path__ = [{str(PACKAGE)!r}]
from tickerq_celery.failpoints import CrashPoint, failpoint
failpoint(CrashPoint.CLAIMED)
child = os.fork()
failpoint(CrashPoint.STARTED)
if child:
    print(os.waitpid(child, 0)[1])
"""


def passing(**environ: str) -> subprocess.CompletedProcess[str]:
    """Run a process that passes a crash point alone, and then another one together with a child."""
    return subprocess.run(
        [sys.executable, "-c", PASSES_TWO_POINTS],
        env={**{name: value for name, value in os.environ.items() if name != VARIABLE}, **environ},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.fixture
def token(tmp_path: Path) -> Path:
    path = tmp_path / "a token"
    path.touch()
    return path


def test_a_failpoint_that_is_not_set_does_nothing() -> None:
    ended = passing()
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "0\n", "")


def test_a_failpoint_kills_the_process_that_passes_it_says_so_and_removes_its_token(token: Path) -> None:
    ended = passing(**{VARIABLE: f"claimed SIGKILL {token}"})
    assert ended.returncode == -signal.SIGKILL
    assert ended.stderr == "failpoint claimed: SIGKILL\n"
    assert not token.exists()


def test_of_two_processes_that_pass_a_failpoint_one_dies(token: Path) -> None:
    ended = passing(**{VARIABLE: f"started SIGKILL {token}"})
    killed = [ended.returncode == -signal.SIGKILL, ended.stdout == f"{int(signal.SIGKILL)}\n"]
    assert sorted(killed) == [False, True], ended
    assert ended.stderr.count("failpoint started") == 1


def test_a_failpoint_of_another_crash_point_leaves_its_token_alone(token: Path) -> None:
    assert passing(**{VARIABLE: f"finished SIGKILL {token}"}).returncode == 0
    assert token.exists()


@pytest.mark.parametrize("text", ["claimed", "nowhere SIGKILL /t", "claimed SIGNONE /t", "claimed SIGKILL"])
def test_a_failpoint_that_cannot_be_read_is_an_error_that_shows_it(text: str) -> None:
    ended = passing(**{VARIABLE: text})
    assert ended.returncode == 1
    assert VARIABLE in ended.stderr
    assert repr(text) in ended.stderr


def test_every_crash_point_is_passed_by_the_code() -> None:
    passed = "".join(path.read_text() for path in PACKAGE.rglob("*.py"))
    assert [point for point in CrashPoint if f"failpoint(CrashPoint.{point.name})" not in passed] == []
