"""Which end of a parent lets which child start, and what a chain may look like."""

import json
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.unmet import is_unmet_reason
from tickerq_celery import CronTicker, TimeTicker
from tickerq_celery.enums import RunCondition, TickerPriority, TickerStatus
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.payload.codec import Encoding, Packed, codec_of
from tickerq_celery.tickers.celery_task import CALL_FIELDS
from tickerq_celery.tickers.chain_templates import (
    ChainTicker,
    check_template,
    copies,
    template_of,
    tickers_in,
)
from tickerq_celery.tickers.chains import (
    MOST_LEVELS,
    MOST_NODES,
    UNMET_REASON,
    is_met,
    nodes_below,
    run_condition,
    unmet_reason,
)
from tickerq_celery.tickers.work import WORK_FIELDS, FunctionDefaults, WorkPlan

CODEC = codec_of(None, (), ())

ENDS = {
    RunCondition.ON_SUCCESS: {TickerStatus.DONE, TickerStatus.DUE_DONE},
    RunCondition.ON_FAILURE: {TickerStatus.FAILED},
    RunCondition.ON_CANCELLED: {TickerStatus.CANCELLED},
    RunCondition.ON_FAILURE_OR_CANCELLED: {TickerStatus.FAILED, TickerStatus.CANCELLED},
    RunCondition.ON_ANY_COMPLETED_STATUS: {
        TickerStatus.DONE, TickerStatus.DUE_DONE, TickerStatus.FAILED, TickerStatus.CANCELLED,
    },
    RunCondition.IN_PROGRESS: {TickerStatus.IN_PROGRESS},
}  # fmt: skip


def named(name: str, *children: TimeTicker, **fields: Any) -> TimeTicker:
    return TimeTicker(function=name, children=children, **fields)


def line(levels: int) -> TimeTicker:
    """Return a chain of one ticker a level."""
    ticker = named("Step")
    for _ in range(levels - 1):
        ticker = named("Step", ticker)
    return ticker


@pytest.mark.parametrize("status", TickerStatus)
@pytest.mark.parametrize("condition", RunCondition)
def test_a_condition_is_met_by_its_ends_only(condition: RunCondition, status: TickerStatus) -> None:
    assert is_met(condition, status) == (status in ENDS[condition])


@pytest.mark.parametrize("status", TickerStatus)
def test_no_condition_means_any_completed_status(status: TickerStatus) -> None:
    assert is_met(None, status) == is_met(RunCondition.ON_ANY_COMPLETED_STATUS, status)


def test_a_skipped_parent_meets_no_condition() -> None:
    assert not any(is_met(condition, TickerStatus.SKIPPED) for condition in (None, *RunCondition))


def test_the_reason_of_a_skipped_child_is_tickerqs() -> None:
    assert UNMET_REASON == "Rule RunCondition did not match!"
    reason = unmet_reason(RunCondition.ON_SUCCESS, TickerStatus.DUE_DONE)
    assert reason == f"{UNMET_REASON} It is OnSuccess, and the parent is DueDone"
    below = unmet_reason(None, TickerStatus.SKIPPED)
    assert below.endswith("It is OnAnyCompletedStatus, and the parent is Skipped")
    assert [is_unmet_reason(each) for each in (reason, below, "other", None)] == [True, True, False, False]


def test_a_run_condition_may_be_given_as_tickerqs_number() -> None:
    assert run_condition(1) is RunCondition.ON_FAILURE
    assert run_condition(None) is None


@pytest.mark.parametrize("value", [9, "later", [], TickerStatus.SKIPPED])
def test_what_is_no_run_condition_is_refused_by_name(value: object) -> None:
    with pytest.raises(TickerValidationError, match="run_condition: pass one of on_success, "):
        run_condition(value)


def test_each_ticker_of_a_chain_stands_after_its_parent() -> None:
    nodes = nodes_below(named("head", named("a", named("c")), named("b", named("d"), named("e"))))
    assert [(node.ticker.function, node.parent, node.path) for node in nodes] == [
        ("a", None, "children[0]"),
        ("b", None, "children[1]"),
        ("c", 0, "children[0].children[0]"),
        ("d", 1, "children[1].children[0]"),
        ("e", 1, "children[1].children[1]"),
    ]


def test_a_chain_has_at_most_a_thousand_tickers_with_its_head() -> None:
    assert len(nodes_below(named("head", *[named("a")] * (MOST_NODES - 1)))) == MOST_NODES - 1
    with pytest.raises(TickerValidationError, match=r"children: a chain holds at most 1,000 tickers"):
        nodes_below(named("head", *[named("a")] * MOST_NODES))


def test_a_chain_has_at_most_a_hundred_levels_with_its_head() -> None:
    assert len(nodes_below(line(MOST_LEVELS))) == MOST_LEVELS - 1
    with pytest.raises(TickerValidationError, match=r"children: a chain is at most 100 levels deep"):
        nodes_below(line(MOST_LEVELS + 1))


def test_a_list_that_holds_its_own_ticker_is_refused_as_too_deep() -> None:
    children: list[TimeTicker] = []
    head = TimeTicker(function="head", children=children)
    children.append(head)
    with pytest.raises(TickerValidationError, match="levels deep"):
        nodes_below(head)


@pytest.mark.parametrize(
    ("children", "text"),
    [
        ("no", "children: pass a list of TimeTickers"),
        (None, "children: pass a list of TimeTickers"),
        ([{}], r"children\[0\]: pass a TimeTicker"),
        ([named("a", named("b")), named("a", CronTicker(function="b", expression="@"))],  # type: ignore[arg-type]
         r"children\[1\].children\[0\]: pass a TimeTicker"),
    ],
)  # fmt: skip
def test_what_is_no_chain_is_refused_by_its_path(children: Any, text: str) -> None:
    with pytest.raises(TickerValidationError, match=text):
        nodes_below(TimeTicker(function="head", children=children))


def test_a_template_gives_back_the_chain_that_it_was_made_from() -> None:
    chain = (
        named("a", named("c", run_condition=RunCondition.ON_FAILURE, **FULL), **FULL),
        named("b", named("d", **FULL), named("e", **FULL), **FULL),
    )
    template = template_of(drafted(chain), limit=10_000)
    assert tickers_in(template, CODEC) == chain
    assert [(each.work.function, each.parent) for each in copies(template, namespace="a")] == [
        ("a", None), ("b", None), ("c", 0), ("d", 1), ("e", 1),
    ]  # fmt: skip


def test_a_template_is_json_that_gives_back_the_tickers_of_its_copies() -> None:
    chain = drafted((named("a", named("b", **FULL), run_condition=RunCondition.ON_FAILURE, **FULL),))
    stored = json.loads(json.dumps(template_of(chain, limit=10_000)))
    assert copies(stored, namespace=NAMESPACE) == chain
    # What names a task and what it is given are its function and its request.
    without = {"execution_time", "delay", "unique_key", "namespace", "children", "task", *CALL_FIELDS}
    assert {field.name for field in fields(TimeTicker)} - without <= {*WORK_FIELDS, "run_condition"}


def test_no_chain_has_no_template() -> None:
    assert template_of([], limit=10) is None
    assert (tickers_in(None, CODEC), copies(None, namespace="a")) == ((), [])


def test_a_template_over_the_limit_is_refused() -> None:
    with pytest.raises(TickerValidationError, match="children: a chain takes at most 100 bytes as JSON"):
        template_of(drafted((named("a", **FULL),)), limit=100)


@pytest.mark.parametrize(
    "fields", [{"execution_time": datetime(2030, 1, 1, tzinfo=UTC)}, {"unique_key": "once"}], ids=str
)
def test_a_cron_tickers_child_has_neither_a_moment_nor_a_unique_key(fields: dict[str, Any]) -> None:
    (node,) = nodes_below(named("head", named("a", **fields)))
    with pytest.raises(TickerValidationError, match=rf"children\[0\]\.{next(iter(fields))}: "):
        check_template(node)


NAMESPACE = "main"
FULL: dict[str, Any] = {
    "request": [1],
    "description": "what it does",
    "retries": 2,
    "retry_intervals": (timedelta(seconds=1.5),),
    "timeout": timedelta(seconds=2),
    "hard_timeout": timedelta(seconds=3),
    "priority": TickerPriority.HIGH,
    "queue": "mail",
    "concurrency_key": "customer 7",
    "tags": ("eu",),
}


def plan_of(ticker: TimeTicker) -> WorkPlan:
    return WorkPlan(function=str(ticker.function), namespace=NAMESPACE, defaults=FunctionDefaults())


def drafted(children: tuple[TimeTicker, ...]) -> list[ChainTicker]:
    """Return a chain as a cron ticker would keep it."""
    return [
        ChainTicker(
            work=plan_of(node.ticker).work_of(node.ticker, Packed(b"[1]", Encoding.JSON)),
            parent=node.parent,
            run_condition=node.ticker.run_condition,
            has_children=bool(node.ticker.children),
        )
        for node in nodes_below(named("head", *children))
    ]
