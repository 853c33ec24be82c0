"""A user's project with an application and tests, in a folder of its own."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

APP = """
from celery import Celery
from tickerq_celery import TickerContext, TickerQ

app = Celery("shop", broker="filesystem://", set_as_current=False)
tickerq = TickerQ(app)

@tickerq.function("Greet")
def greet(context: TickerContext[str]):
    print("Hello", context.request)
"""


@dataclass(frozen=True, slots=True)
class Project:
    """What a user has: ``shop.py``, ``pytest.ini`` and what a test writes."""

    folder: Path

    def write(self, name: str, text: str) -> None:
        """Write a file of the project."""
        (self.folder / name).write_text(dedent(text))

    def pytest(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the project's tests, in a process without what this run of tests is given."""
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "TICKERQ"))
        }
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "pytest_tickerq",
            "-p",
            "no:cacheprovider",
            *arguments,
        ]
        return subprocess.run(
            command, cwd=self.folder, env=kept, capture_output=True, text=True, check=False, timeout=120
        )

    def made(self) -> set[str]:
        """Return the files and folders of the project, but for Python's own."""
        return {path.name for path in self.folder.iterdir()} - {"__pycache__"}
