"""What a run took, by file and by fixture."""

import csv

import pytest

pytest_plugins = ["pytester"]
# A test of tests.
pytestmark = pytest.mark.verify

CONFTEST = """
from tests import seconds
from tests.seconds import pytest_configure

class Clock:
    now = 0.0

    def perf_counter(self):
        return self.now

seconds.time = Clock()
"""
TESTS = """
import pytest
from tests.seconds import time as clock

@pytest.fixture
def quick():
    return 1

@pytest.fixture
def slow(quick, request):
    clock.now += 2
    return request.getfixturevalue("slower")

@pytest.fixture
def slower():
    clock.now += 4

def test_it(slow):
    clock.now += 1
"""


@pytest.mark.parametrize("processes", [(), ("-n", "2")])
def test_each_file_has_its_seconds_and_each_fixture_its_own_without_those_it_uses(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, processes: tuple[str, ...]
) -> None:
    monkeypatch.setenv("SECONDS_OF_TESTS", str(pytester.path / "seconds.csv"))
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(test_it=TESTS)
    pytester.runpytest_subprocess(*processes).assert_outcomes(passed=1)
    with (pytester.path / "seconds.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["name"] for row in rows if row["kind"] == "file"] == ["test_it.py"]
    of_fixtures = {row["name"]: float(row["seconds"]) for row in rows if row["kind"] == "fixture"}
    own = {name: of_fixtures[f"test_it.py::{name}"] for name in ("quick", "slow", "slower")}
    assert own == {"quick": 0, "slow": 2, "slower": 4}
