"""A user's project with an application and tests, in a folder of its own."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

from tests.acceptance.warm import ForkedProcess

APP = """
from celery import Celery
from tickerq_celery import TickerContext, TickerQ

app = Celery("shop", broker="filesystem://", set_as_current=False)
tickerq = TickerQ(app)

@tickerq.function("Greet")
def greet(context: TickerContext[str]):
    print("Hello", context.request)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A run of a project's tests that has ended, and all that it printed."""

    returncode: int
    output: str


@dataclass(frozen=True, slots=True)
class Project:
    """What a user has: ``shop.py``, ``pytest.ini`` and what a test writes."""

    folder: Path
    launch: Callable[..., ForkedProcess]

    def write(self, name: str, text: str) -> None:
        """Write a file of the project."""
        (self.folder / name).write_text(dedent(text))

    def pytest(self, *arguments: str) -> Ended:
        """Run the project's tests, in a process without what this run of tests is given."""
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "TICKERQ"))
        }
        command = ("pytest", "-p", "pytest_tickerq", "-p", "no:cacheprovider", *arguments)
        log = self.folder.with_suffix(".txt")
        code = self.launch(command, folder=self.folder, environ=kept, log=log).wait(120)
        return Ended(returncode=code, output=log.read_text())

    def made(self) -> set[str]:
        """Return the files and folders of the project, but for Python's own."""
        return {path.name for path in self.folder.iterdir()} - {"__pycache__"}
