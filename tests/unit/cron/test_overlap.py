"""Overlap policies: the decisions about new occurrences, by what is active and what waits."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickerq_celery.cron.overlap import Decision, decisions, yields_lock
from tickerq_celery.enums import OverlapPolicy
from tickerq_celery.store.runs.overlaps import OverlapState

RUN, WAIT = Decision.RUN, Decision.WAIT
TAKEN, BUFFERED, LEFT = Decision.SKIP_AS_TAKEN, Decision.SKIP_AS_BUFFERED, Decision.SKIP_AS_REPLACED


@pytest.mark.parametrize(
    ("policy", "free", "taken", "crowded"),
    [
        (OverlapPolicy.ALLOW, [RUN, RUN, RUN], [RUN, RUN, RUN], [RUN, RUN, RUN]),
        (OverlapPolicy.SKIP, [RUN, TAKEN, TAKEN], [TAKEN, TAKEN, TAKEN], [TAKEN, TAKEN, TAKEN]),
        (OverlapPolicy.BUFFER_ONE, [RUN, WAIT, BUFFERED], [WAIT, BUFFERED, BUFFERED], [BUFFERED] * 3),
        (OverlapPolicy.BUFFER_ALL, [RUN, WAIT, WAIT], [WAIT, WAIT, WAIT], [WAIT, WAIT, WAIT]),
        (OverlapPolicy.CANCEL_OTHER, [LEFT, LEFT, RUN], [LEFT, LEFT, WAIT], [LEFT, LEFT, WAIT]),
    ],
)  # fmt: skip
def test_a_policy_decides_what_becomes_of_three_at_once(
    policy: OverlapPolicy, free: list[Decision], taken: list[Decision], crowded: list[Decision]
) -> None:
    assert decisions(policy, 3, OverlapState()) == free
    assert decisions(policy, 3, OverlapState(is_locked=True)) == taken
    assert decisions(policy, 3, OverlapState(is_locked=True, waiting=2)) == crowded


@pytest.mark.parametrize("policy", OverlapPolicy)
def test_nothing_new_has_no_fate(policy: OverlapPolicy) -> None:
    assert decisions(policy, 0, OverlapState(is_locked=True, waiting=2)) == []


@pytest.mark.parametrize("policy", [policy for policy in OverlapPolicy if policy is not OverlapPolicy.ALLOW])
def test_what_waits_is_before_what_is_new_also_where_the_lock_is_free(policy: OverlapPolicy) -> None:
    assert decisions(policy, 1, OverlapState(waiting=1)) != [RUN]


@pytest.mark.parametrize(
    ("state", "in_pause", "expected"),
    [
        ({"is_held_by_pause": True}, False, True),
        ({}, True, True),
        ({}, False, False),
        ({"is_held_by_pause": True, "is_unclaimed": False}, True, False),
        ({"is_held_by_pause": True, "is_manual_waiting": False}, True, False),
    ],
    ids=str,
)
def test_only_what_a_pause_holds_gives_way_and_only_to_a_manual_run(
    state: dict[str, bool], in_pause: bool, expected: bool
) -> None:
    known = {"is_locked": True, "is_unclaimed": True, "is_manual_waiting": True, **state}
    assert yields_lock(OverlapState(waiting=1, **known), in_pause=in_pause) is expected


def after(state: OverlapState, stored: list[Decision]) -> OverlapState:
    """Return the state once a part is stored, while nothing ends."""
    is_locked = state.is_locked or RUN in stored
    return replace(state, is_locked=is_locked, waiting=state.waiting + stored.count(WAIT))


@given(
    policy=st.sampled_from(OverlapPolicy),
    sizes=st.lists(st.integers(2, 4), min_size=1, max_size=4),
    last=st.integers(0, 4),
    state=st.builds(OverlapState, is_locked=st.booleans(), waiting=st.integers(0, 2)),
    ends=st.booleans(),
)
def test_the_fates_of_a_catch_up_in_parts_are_those_that_it_has_at_once(
    policy: OverlapPolicy, sizes: list[int], last: int, state: OverlapState, ends: bool
) -> None:
    sizes = [*sizes, last] if last else sizes
    whole, now, parts = decisions(policy, sum(sizes), state), state, []
    for number, size in enumerate(sizes):
        has_more = number < len(sizes) - 1
        parts.append(decisions(policy, size, now, is_continued=number > 0, has_more=has_more))
        now = after(now, parts[-1])
        if ends and policy in (OverlapPolicy.SKIP, OverlapPolicy.BUFFER_ONE):
            # All that ran or waited may have ended before the next part is stored.
            now = OverlapState()
    assert [fate for part in parts for fate in part] == whole
