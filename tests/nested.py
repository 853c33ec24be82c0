"""A run of other tests with this project's fixtures, as a process of its own."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def pytest_command(folder: Path, *options: str) -> list[str]:
    """Return the command that runs the tests of a folder."""
    command = [sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), f"--rootdir={folder}"]
    return [*command, "-p", "tests.conftest", "-p", "no:cacheprovider", *options, str(folder)]


def python_path(*folders: Path) -> str:
    """Return the ``PYTHONPATH`` with which it finds the fixtures."""
    return os.pathsep.join(map(str, (ROOT, *folders)))
