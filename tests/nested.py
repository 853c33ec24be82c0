"""A run of tests inside of a test, as a process of its own."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
# What says of the outer run which tests it has, and where it writes.
_OF_A_RUN = ("VERIFY", "PROOF", "SLICE", "TICKERQ_PART", "SECONDS_OF_TESTS")


def pytest_command(folder: Path, *options: str) -> list[str]:
    """Return the command that runs the tests of a folder."""
    command = [sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), f"--rootdir={folder}"]
    return [*command, "-p", "tests.conftest", "-p", "no:cacheprovider", *options, str(folder)]


def environment(**variables: str) -> dict[str, str]:
    """Return this process's environment, in which only ``variables`` say which tests a run has."""
    kept = {name: value for name, value in os.environ.items() if name not in _OF_A_RUN}
    return {**kept, **variables}


def python_path(*folders: Path) -> str:
    """Return the ``PYTHONPATH`` with which it finds the fixtures."""
    return os.pathsep.join(map(str, (ROOT, *folders)))
