"""What a run of the tests took: seconds of its processes by file and by fixture.

``SECONDS_OF_TESTS=seconds.csv make test`` writes them when the run ends. A file's seconds are those of its
tests, with what was started for them and ended after them; a fixture's are those of its own body up to its
value, without the fixtures that it uses.
"""

import csv
import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

_SETTING = "SECONDS_OF_TESTS"


class SecondsOfTests:
    """A plugin that adds up what a run takes, in this process or in those that it distributes to."""

    def __init__(self) -> None:
        self._files: Counter[str] = Counter()
        self._fixtures: Counter[str] = Counter()
        self._inner: list[float] = []

    @contextmanager
    def _measuring(self, name: str) -> Iterator[None]:
        self._inner.append(0.0)
        began = time.perf_counter()
        try:
            yield
        finally:
            took = time.perf_counter() - began
            self._fixtures[name] += took - self._inner.pop()
            if self._inner:
                self._inner[-1] += took

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Iterator[None]:
        with self._measuring(f"{fixturedef.baseid}::{fixturedef.argname}"):
            return (yield)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._files[report.nodeid.partition("::")[0]] += report.duration

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        self._fixtures.update(getattr(node, "workeroutput", {}).get(_SETTING, {}))

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output[_SETTING] = dict(self._fixtures)
            return
        with Path(os.environ[_SETTING]).open("w", newline="") as stream:
            rows = csv.writer(stream)
            rows.writerow(("kind", "name", "seconds"))
            for kind, seconds in (("file", self._files), ("fixture", self._fixtures)):
                rows.writerows((kind, name, f"{took:.2f}") for name, took in seconds.most_common())


def pytest_configure(config: pytest.Config) -> None:
    """Measure where a file is named for it."""
    if _SETTING in os.environ:
        config.pluginmanager.register(SecondsOfTests())
