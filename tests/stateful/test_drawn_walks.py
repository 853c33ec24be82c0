"""What is drawn by a seed is the same walk each time: what failed in one run fails in the next."""

from typing import Any

import pytest

from tests.inner import Database
from tests.stateful.actions import Wheel
from tests.stateful.walks import walk


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the steps of the walks of this test."""
    found: list[str] = []
    stopped_at = Wheel.stopped_at

    def note(self: Wheel, *args: Any) -> Any:
        action = stopped_at(self, *args)
        found.append(action.name)
        return action

    monkeypatch.setattr(Wheel, "stopped_at", note)
    return found


@pytest.mark.verify
@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_the_same_seed_goes_the_same_ways_and_another_one_others(
    database: Database, steps: list[str]
) -> None:
    gone = []
    # The first example is the simplest one whatever draws.
    for drawn_by in ("one", "one", "other", None):
        walk(database, examples=2, drawn_by=drawn_by)
        gone.append(tuple(steps))
        steps.clear()
    assert gone[0] == gone[1]
    assert len(set(gone)) == 3
