"""Which runs of a chain start again when its failures are retried."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickerq_celery.enums import TERMINAL, RunCondition, TickerStatus
from tickerq_celery.tickers.chain_retries import retry_plan

FAILED, DONE, SKIPPED = TickerStatus.FAILED, TickerStatus.DONE, TickerStatus.SKIPPED
CANCELLED, IDLE, IN_PROGRESS = TickerStatus.CANCELLED, TickerStatus.IDLE, TickerStatus.IN_PROGRESS
ON_SUCCESS, ON_FAILURE, BESIDE = RunCondition.ON_SUCCESS, RunCondition.ON_FAILURE, RunCondition.IN_PROGRESS


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    id: UUID
    parent_id: UUID | None
    status: TickerStatus
    run_condition: RunCondition | None
    is_unmet: bool


def member(
    number: int,
    parent: int | None,
    status: TickerStatus,
    on: RunCondition | None = None,
    *,
    unmet: bool = False,
) -> Member:
    parent_id = None if parent is None else UUID(int=parent)
    return Member(id=UUID(int=number), parent_id=parent_id, status=status, run_condition=on, is_unmet=unmet)


@pytest.mark.parametrize(
    ("parent", "child", "on", "becomes"),
    [
        (FAILED, FAILED, None, "waits"),
        (IDLE, FAILED, None, "waits"),
        (IN_PROGRESS, FAILED, BESIDE, "waits"),
        (DONE, FAILED, ON_SUCCESS, "due"),
        (DONE, FAILED, BESIDE, "due"),
        (CANCELLED, FAILED, BESIDE, "due"),
        (DONE, FAILED, ON_FAILURE, "stays"),
        (FAILED, "unmet", ON_SUCCESS, "waits"),
        (IDLE, "unmet", ON_SUCCESS, "waits"),
        (DONE, "unmet", ON_SUCCESS, "due"),
        (DONE, "unmet", BESIDE, "due"),
        (DONE, "unmet", ON_FAILURE, "stays"),
        (CANCELLED, "unmet", BESIDE, "stays"),
        (CANCELLED, "unmet", ON_SUCCESS, "stays"),
        (FAILED, SKIPPED, ON_FAILURE, "stays"),
        (FAILED, CANCELLED, ON_FAILURE, "stays"),
        (FAILED, DONE, ON_FAILURE, "stays"),
        (FAILED, IN_PROGRESS, ON_FAILURE, "stays"),
    ],
)
def test_a_child_starts_again_at_once_or_after_its_parent_or_stays(
    parent: TickerStatus, child: TickerStatus | str, on: RunCondition | None, becomes: str
) -> None:
    status = SKIPPED if isinstance(child, str) else child
    below = member(2, 1, status, on, unmet=isinstance(child, str))
    plan = retry_plan([member(1, None, parent), below])
    is_due = below.id in plan.at_once
    is_waiting = below.id in plan.waiting.get(UUID(int=1), [])
    assert (is_due, is_waiting) == (becomes == "due", becomes == "waits")
    assert (UUID(int=1) in plan.at_once) is (parent is FAILED)


@st.composite
def trees(draw: st.DrawFn) -> list[Member]:
    found = []
    for number in range(1, draw(st.integers(1, 8)) + 1):
        parent = None if number == 1 else draw(st.integers(1, number - 1))
        status = draw(st.sampled_from(TickerStatus))
        unmet = parent is not None and status is SKIPPED and draw(st.booleans())
        on = draw(st.none() | st.sampled_from(RunCondition))
        found.append(member(number, parent, status, on, unmet=unmet))
    return found


@given(trees())
def test_each_failure_has_its_place_and_nothing_else_starts_again(members: Sequence[Member]) -> None:
    plan = retry_plan(members)
    by_id = {each.id: each for each in members}
    again = set(plan.ids)
    assert len(again) == len(plan.ids)
    for each in members:
        if each.id in again:
            assert each.status is FAILED or each.is_unmet
        # A head that failed, and all below it whose turn is still to come, are retried.
        if each.status is FAILED and each.parent_id is None:
            assert each.id in plan.at_once
    for parent_id, children in plan.waiting.items():
        assert parent_id in again or by_id[parent_id].status not in TERMINAL
        assert all(by_id[child].parent_id == parent_id for child in children)
    for each in plan.at_once:
        parent = by_id[each].parent_id
        assert parent is None or (parent not in again and by_id[parent].status in TERMINAL)
