"""Whether a beat or worker is alive, stopping, silent or dead: by its own settings and its last heartbeat."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickerq_celery.tickers.node_views import state_of
from tickerq_celery.views import NodeState

INSTANT = timedelta(microseconds=1)
SPANS = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=1))


def state(
    seconds: float, *, lease: float = 30, is_stopping: bool = False, later: timedelta = timedelta(0)
) -> str:
    silent_for = timedelta(seconds=seconds) + later
    heartbeat = timedelta(seconds=10)
    return state_of(
        silent_for, heartbeat=heartbeat, lease=timedelta(seconds=lease), is_stopping=is_stopping
    ).value


@pytest.mark.parametrize(
    ("seconds", "later", "expected"),
    [
        (0, timedelta(0), "alive"),
        (25, timedelta(0), "alive"),
        (25, INSTANT, "silent"),
        (30, -INSTANT, "silent"),
        (30, timedelta(0), "dead"),
        (3_600, timedelta(0), "dead"),
    ],
)
def test_a_node_is_silent_after_two_and_a_half_heartbeats_and_dead_after_its_lease(
    seconds: float, later: timedelta, expected: str
) -> None:
    assert state(seconds, later=later) == expected


def test_a_node_that_stops_is_silent_and_dead_as_any_other() -> None:
    assert [state(each, is_stopping=True) for each in (25, 26, 30)] == ["stopping", "silent", "dead"]


def test_a_node_whose_lease_is_shorter_is_not_dead_before_it_is_silent() -> None:
    assert [state(25, lease=20), state(25, lease=20, later=INSTANT)] == ["alive", "dead"]


@given(SPANS, SPANS, SPANS.filter(bool), SPANS.filter(bool), st.booleans())
def test_a_longer_silence_never_makes_a_node_look_better(
    shorter: timedelta, more: timedelta, heartbeat: timedelta, lease: timedelta, is_stopping: bool
) -> None:
    worse = [NodeState.ALIVE, NodeState.STOPPING, NodeState.SILENT, NodeState.DEAD]
    first, second = (
        worse.index(state_of(each, heartbeat=heartbeat, lease=lease, is_stopping=is_stopping))
        for each in (shorter, shorter + more)
    )
    assert first <= second
