"""No expression makes work without an end: counted in steps, to which no other process adds."""

import sys
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any

import pytest

from tests.dashboard.access.users import SECRET, by_role
from tests.dashboard.api.conftest import bearer, tokens
from tests.dashboard.conftest import BASE
from tests.dashboard.seeds import Seeds
from tickerq_dashboard import create_app

PLAIN = "30 3 * * *"
HOSTILE = (
    "0 0 1--100000000 * *",
    "*/0 * * * *",
    "0-99999999 * * * *",
    "0 0 */99999999 * *",
    ",".join(["0-59/1"] * 16) + " * * * *",
    "0-59/1," * 5_000 + "0 * * * *",
    "9" * 120,
    "0 0 31 2 *",
    "0 0 29 2 1",
    "0 0 29 2 MON#5",
    "59 59 23 29 2 SUN#5",
    "0 0 30-31 2,4,6,9,11 7#5",
    "* * * * * *",
    "?" * 120,
    "L " * 60,
    "0 0 LW * 5L",
    "@" + "y" * 120,
    "(" * 120,
)

# Of lines beyond those that a plain expression takes.
MOST_MORE = 20_000


def steps_of(work: Callable[[], object]) -> int:
    """Count the lines of Python that are executed."""
    steps = 0

    def step(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal steps
        steps += event == "line"
        return step

    before = sys.gettrace()
    sys.settrace(step)
    try:
        work()
    finally:
        sys.settrace(before)
    return steps


@pytest.mark.parametrize("way", ["form", "program"])
def test_no_expression_takes_many_more_steps_than_a_plain_one(seeds: Seeds, way: str) -> None:
    client = create_app(seeds.tickerq, auth=by_role, secret=SECRET, api_tokens=tokens()).test_client()

    def ask(expression: str) -> None:
        asked = {"expression": expression, "time_zone": "America/New_York"}
        if way == "form":
            form = {**asked, "schedule": "expression", "step": "review"}
            answer = client.post(f"{BASE}/crons/new", data=form, headers=bearer("admin"))
        else:
            answer = client.post(f"{BASE}/api/v1/crons/preview", json=asked, headers=bearer("admin"))
        assert answer.status_code in {200, 422}

    # What is read once is read.
    ask("1 1 1 1 *")
    plain = steps_of(lambda: ask(PLAIN))
    found = {each[:40]: steps_of(partial(ask, each)) for each in HOSTILE}
    assert plain > 5_000
    assert {each: steps for each, steps in found.items() if steps > plain + MOST_MORE} == {}
