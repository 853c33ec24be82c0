"""Overlap policies: the fates of new occurrences, by what is under way and what waits."""

import pytest

from tickerq_celery.cron.overlap import Fate, fates
from tickerq_celery.enums import OverlapPolicy

RUN, WAIT = Fate.RUN, Fate.WAIT
TAKEN, BUFFERED, LEFT = Fate.SKIP_AS_TAKEN, Fate.SKIP_AS_BUFFERED, Fate.SKIP_AS_REPLACED


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
    policy: OverlapPolicy, free: list[Fate], taken: list[Fate], crowded: list[Fate]
) -> None:
    assert fates(policy, 3, is_taken=False, is_waited_for=False) == free
    assert fates(policy, 3, is_taken=True, is_waited_for=False) == taken
    assert fates(policy, 3, is_taken=True, is_waited_for=True) == crowded


@pytest.mark.parametrize("policy", OverlapPolicy)
def test_nothing_new_has_no_fate(policy: OverlapPolicy) -> None:
    assert fates(policy, 0, is_taken=True, is_waited_for=True) == []


@pytest.mark.parametrize("policy", [policy for policy in OverlapPolicy if policy is not OverlapPolicy.ALLOW])
def test_who_waits_is_before_who_is_new_also_where_the_place_is_free(policy: OverlapPolicy) -> None:
    assert fates(policy, 1, is_taken=False, is_waited_for=True) != [RUN]
