"""A chain as a drawing and as a sentence."""

from itertools import pairwise
from uuid import UUID

import pytest

from tickerq_celery import TickerStatus
from tickerq_dashboard.show.chains import LONGEST_LABEL, chain_words, label_of, label_of_reason
from tickerq_dashboard.show.charts.chain import HEIGHT, MOST_DRAWN, WIDTH, Node, chain_chart
from tickerq_dashboard.show.statuses import LOOKS, PUBLISHED

DONE, FAILED, IDLE = (LOOKS[each] for each in (TickerStatus.DONE, TickerStatus.FAILED, TickerStatus.IDLE))


def node(number: int, parent: int | None, depth: int, *, has_run: bool = True) -> Node:
    above = None if parent is None else UUID(int=parent)
    return Node(id=UUID(int=number), parent_id=above, depth=depth, has_run=has_run)


def test_ends_lie_below_each_other_and_a_parent_in_the_middle_of_its_children() -> None:
    chart = chain_chart([node(1, None, 0), node(2, 1, 1), node(3, 2, 2), node(4, 2, 2), node(5, 1, 1)])
    assert chart is not None
    head, second, third, fourth, fifth = (float(box.y) for box in chart.boxes)
    assert third + HEIGHT < fourth
    assert fourth + HEIGHT < fifth
    assert second == (third + fourth) / 2
    assert head == (second + fifth) / 2


def test_each_level_lies_right_of_the_one_before_and_all_is_within_the_picture() -> None:
    chart = chain_chart([node(1, None, 0), node(2, 1, 1), node(3, 2, 2)])
    assert chart is not None
    lefts = [float(box.x) for box in chart.boxes]
    assert [left + WIDTH < right for left, right in pairwise(lefts)] == [True, True]
    assert lefts[-1] + WIDTH < float(chart.width)
    assert max(float(box.y) for box in chart.boxes) + HEIGHT < float(chart.height)


def test_a_run_that_has_not_run_is_dashed_with_the_line_to_it() -> None:
    chart = chain_chart([node(1, None, 0), node(2, 1, 1, has_run=False), node(3, 1, 1)])
    assert chart is not None
    assert [box.is_dashed for box in chart.boxes] == [False, True, False]
    assert [line.is_dashed for line in chart.lines] == [True, False]


def test_a_line_joins_the_middles_of_the_sides_of_two_boxes() -> None:
    chart = chain_chart([node(1, None, 0), node(2, 1, 1)])
    assert chart is not None
    assert [line.path for line in chart.lines] == ["M214 45H230V45H246"]


@pytest.mark.parametrize(
    ("count", "is_drawn"), [(0, False), (1, True), (MOST_DRAWN, True), (MOST_DRAWN + 1, False)]
)
def test_what_is_too_large_to_be_read_is_not_drawn(count: int, is_drawn: bool) -> None:
    nodes = [node(number, None if number == 0 else 0, min(number, 1)) for number in range(count)]
    assert (chain_chart(nodes) is not None) is is_drawn


def test_a_sentence_says_what_went_wrong_first() -> None:
    assert (
        chain_words([DONE, FAILED, IDLE, DONE], truncated=False)
        == "The chain of 4 runs has not ended: 1 is Failed, 1 Idle, 2 Done."
    )
    assert chain_words([DONE] * 3, truncated=False) == "The chain of 3 runs has ended: 3 are Done."
    assert chain_words([DONE, PUBLISHED], truncated=False).startswith("The chain of 2 runs has not ended")


def test_a_sentence_of_a_part_says_that_there_is_more() -> None:
    assert (
        chain_words([DONE] * 200, truncated=True)
        == "The chain has more than 200 runs; of the first 200, 200 are Done."
    )


@pytest.mark.parametrize(
    ("function", "label"),
    [
        ("mail.outbox.flush", "mail.outbox.flush"),
        ("shop.wholesale.orders.import_orders", "…import_orders"),
        ("a.recount_all_of_every_warehouse_there_is", "recount_all_of_every_w…"),
    ],
)
def test_a_label_keeps_the_last_part_of_a_functions_name(function: str, label: str) -> None:
    assert label_of(function) == label
    assert len(label) <= LONGEST_LABEL


def test_a_reason_is_cut_to_its_box() -> None:
    assert label_of_reason("Waits for its parent") == "Waits for its parent"
    assert label_of_reason("x" * 200) == "x" * 27 + "…"
