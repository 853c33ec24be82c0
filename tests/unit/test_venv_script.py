import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.run_mark import inherited

ROOT = Path(__file__).parents[2]
NEEDED = ("Makefile", "scripts/venv", "pyproject.toml", "constraints.txt")

# Plays python3, and python in the environments that it makes; each call of pip is a line in pip.log.
FAKE_PYTHON = """#!/bin/sh
case "$*" in
  *version_info*) echo "${FAKE_VERSION:-3 11}" ;;
  *ensurepip*) exit "${FAKE_ENSUREPIP_EXIT:-0}" ;;
  "-m venv "*)
    mkdir -p "$3/bin" && cp "$0" "$3/bin/python"
    [ -z "$FAKE_VENV_ERROR" ] || { echo "Traceback"; echo "$FAKE_VENV_ERROR"; exit 1; } ;;
  "-m pip "*) echo "$*" >>"$PIP_LOG"; exit "${FAKE_PIP_EXIT:-0}" ;;
esac
"""


class Clone:
    """A clone of the project with a python3 that only plays one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder.parent / f"{folder.name}-pip.log"
        for name in NEEDED:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
        self.bin = folder.parent / "bin"
        self.bin.mkdir(exist_ok=True)
        (self.bin / "python3").write_text(FAKE_PYTHON)
        (self.bin / "python3").chmod(0o755)

    def make_venv(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        self.log.unlink(missing_ok=True)
        path = f"{self.bin}{os.pathsep}{os.environ['PATH']}"
        environment = {**inherited(), "PATH": path, "PIP_LOG": str(self.log), **variables}
        command = ["make", "--silent", "venv", *arguments]
        return subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )

    def pip_calls(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []


def words_of(failed: subprocess.CompletedProcess[str]) -> str:
    """Return the one line that a failed make printed beside its own."""
    assert failed.returncode != 0
    lines = [line for line in (failed.stdout + failed.stderr).splitlines() if not line.startswith("make: ")]
    assert len(lines) == 1, lines
    return lines[0]


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path / "clone")


def test_a_fresh_clone_gets_the_locked_versions(clone: Clone) -> None:
    made = clone.make_venv()
    assert made.returncode == 0, made.stderr
    calls = clone.pip_calls()
    assert calls
    assert all("-c constraints.txt" in call for call in calls)
    assert calls[-1].endswith("-e .[dashboard,cli,redis,postgres,mariadb,encryption,dev]")


def test_an_old_python_is_reported_in_one_line(clone: Clone) -> None:
    line = words_of(clone.make_venv(FAKE_VERSION="3 9"))
    assert line.startswith("python3 is Python 3.9, and 3.11 is the oldest that works: name a newer one with")
    assert not (clone.folder / ".venv").exists()


def test_a_missing_python_is_reported_in_one_line(clone: Clone) -> None:
    line = words_of(clone.make_venv("PYTHON=python-of-nowhere"))
    assert line.startswith("python-of-nowhere does not run: install Python 3.11 or newer")


def test_a_missing_venv_package_is_reported_in_one_line(clone: Clone) -> None:
    line = words_of(clone.make_venv(FAKE_ENSUREPIP_EXIT="1"))
    assert line == "python3 cannot make virtual environments: apt install python3-venv (or python3.11-venv)"
    assert not (clone.folder / ".venv").exists()


def test_a_failing_venv_module_is_reported_in_one_line(clone: Clone) -> None:
    made = clone.make_venv(FAKE_VENV_ERROR="ensurepip is not available")
    lines = [line for line in made.stderr.splitlines() if not line.startswith("make: ")]
    assert made.returncode != 0
    assert lines[-1].startswith("python3 -m venv failed: ensurepip is not available")
    assert "Traceback" not in made.stderr


@pytest.mark.parametrize("failure", [{"FAKE_VENV_ERROR": "no"}, {"FAKE_PIP_EXIT": "1"}])
def test_a_half_made_environment_is_made_anew_by_the_next_run(clone: Clone, failure: dict[str, str]) -> None:
    assert clone.make_venv(**failure).returncode != 0
    (clone.folder / ".venv/half-made").touch()
    assert clone.make_venv().returncode == 0
    assert not (clone.folder / ".venv/half-made").exists()
    assert clone.pip_calls()


def test_an_environment_whose_python_is_gone_is_made_anew(clone: Clone) -> None:
    clone.make_venv()
    (clone.folder / ".venv/bin/python").unlink()
    assert clone.make_venv().returncode == 0
    assert clone.pip_calls()


def test_nothing_is_installed_twice(clone: Clone) -> None:
    clone.make_venv()
    again = clone.make_venv(FAKE_VERSION="3 9")
    assert again.returncode == 0
    assert again.stdout + again.stderr == ""
    assert clone.pip_calls() == []


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_a_change_of_dependencies_is_installed_into_the_same_environment(clone: Clone, name: str) -> None:
    clone.make_venv()
    (clone.folder / ".venv/kept").touch()
    later = (clone.folder / ".venv/.installed").stat().st_mtime + 10
    os.utime(clone.folder / name, (later, later))
    assert clone.make_venv().returncode == 0
    assert clone.pip_calls()
    assert (clone.folder / ".venv/kept").exists()


def test_a_failed_update_is_tried_again(clone: Clone) -> None:
    clone.make_venv()
    later = (clone.folder / ".venv/.installed").stat().st_mtime + 10
    os.utime(clone.folder / "constraints.txt", (later, later))
    assert clone.make_venv(FAKE_PIP_EXIT="1").returncode != 0
    assert clone.make_venv().returncode == 0
    assert clone.pip_calls()


def test_a_moved_clone_gets_a_new_environment(clone: Clone, tmp_path: Path) -> None:
    clone.make_venv()
    (clone.folder / ".venv/old").touch()
    clone.folder.rename(tmp_path / "moved")
    moved = Clone(tmp_path / "moved")
    assert moved.make_venv().returncode == 0
    assert moved.pip_calls()
    assert not (moved.folder / ".venv/old").exists()


def test_an_environment_made_manually_is_kept(clone: Clone) -> None:
    folder = clone.folder / ".venv/bin"
    folder.mkdir(parents=True)
    shutil.copy(clone.bin / "python3", folder / "python")
    (clone.folder / ".venv/kept").touch()
    assert clone.make_venv().returncode == 0
    assert (clone.folder / ".venv/kept").exists()
    assert clone.pip_calls()


def test_a_lock_that_a_dead_make_left_is_taken_over(clone: Clone) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    lock = clone.folder / ".venv.lock"
    lock.mkdir()
    (lock / "pid").write_text(f"{ended.pid}\n")
    made = clone.make_venv()
    assert made.returncode == 0, made.stderr
    assert not lock.exists()


def test_a_second_make_waits_for_the_first_and_then_has_nothing_to_do(clone: Clone) -> None:
    lock = clone.folder / ".venv.lock"
    lock.mkdir()
    with subprocess.Popen(["sleep", "60"]) as first:
        (lock / "pid").write_text(f"{first.pid}\n")
        path = f"{clone.bin}{os.pathsep}{os.environ['PATH']}"
        command = ["make", "--silent", "venv"]
        environment = {**inherited(), "PATH": path, "PIP_LOG": str(clone.log)}
        with subprocess.Popen(
            command, cwd=clone.folder, env=environment, stderr=subprocess.PIPE, text=True
        ) as second:
            assert second.stderr is not None
            assert "another make installs into .venv: waiting" in second.stderr.readline()
            assert clone.pip_calls() == []
            first.kill()
            first.wait()
            assert second.wait(timeout=30) == 0
    assert clone.pip_calls()
