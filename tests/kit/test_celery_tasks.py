"""Celery tasks under test: scheduled, asked for and run in the test's process, in chains as well."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from celery import chain

from tickerq_celery import CronTicker, TickerContext, TickerQ, TickerStatus, TimeTicker
from tickerq_celery.errors import TickerValidationError, UnknownFunctionError
from tickerq_celery.testing import TickerQTest

START = datetime(2027, 3, 1, 8, tzinfo=UTC)


@pytest.fixture
def seen() -> list[Any]:
    return []


@pytest.fixture
def add(shop: TickerQ, seen: list[Any]) -> Any:
    @shop.app.task(name="shop.add", bind=True, shared=False)
    def add(self: Any, first: Any, second: Any = 0) -> Any:
        seen.append((first, second, self.request.id))
        if first == "bad":
            raise ValueError("no number")
        return first + second

    return add


def test_a_task_runs_when_it_is_due_with_what_it_was_given(
    tickerq: TickerQTest, shop: TickerQ, add: Any, seen: list[Any]
) -> None:
    tickerq.clock.set(START)
    run = tickerq.schedule(add.s(Decimal("2.5"), second=Decimal(1)).set(task_id="sum 7"), delay=300)
    shop.schedule("shop.add", args=[1], delay=300)
    assert tickerq.run_due() == []
    tickerq.clock.advance(minutes=5)
    ended = tickerq.run_due()
    assert [(each.function, each.status) for each in ended] == [("shop.add", TickerStatus.DONE)] * 2
    assert seen == [(Decimal("2.5"), Decimal(1), "sum 7"), (1, 0, str(ended[1].id))]
    assert ended[0].task_id == run.task_id == "sum 7"


def test_functions_and_tasks_follow_one_another(
    tickerq: TickerQTest, shop: TickerQ, add: Any, seen: list[Any]
) -> None:
    results = []

    @shop.function("Note")
    def note(context: TickerContext) -> None:
        results.append(context.parent_result)

    after = TimeTicker(task=add.s(7), run_condition="on_success")
    tickerq.schedule(add.s(2, 3), children=[TimeTicker("Note", children=[after])])
    tickerq.schedule(add.s("bad"), children=[TimeTicker("Note", run_condition="on_failure")])
    ended = Counter((run.function, run.status.name) for run in tickerq.run_due())
    assert ended == {("shop.add", "DONE"): 2, ("shop.add", "FAILED"): 1, ("Note", "DONE"): 2}
    assert sorted(results, key=str) == [5, None]
    assert sorted((each[0] for each in seen), key=str) == [2, 7, "bad"]


def test_the_chain_of_a_cron_ticker_runs_its_tasks(tickerq: TickerQTest, add: Any, seen: list[Any]) -> None:
    tickerq.clock.set(START)
    tickerq.cron_tickers.add(
        CronTicker(
            task=add.s(1), every=3_600, children=[TimeTicker(task=add.s(2), run_condition="on_success")]
        )
    )
    tickerq.clock.advance(hours=3)
    assert {run.status for run in tickerq.run_due()} == {TickerStatus.DONE}
    assert sorted(each[0] for each in seen) == [1, 1, 1, 2, 2, 2]


def test_what_is_scheduled_of_a_task_is_found_by_what_is_given(tickerq: TickerQTest, add: Any) -> None:
    tickerq.clock.set(START)
    late = tickerq.schedule(add.s(2, second=START).set(queue="sums", expires=60), delay=60)
    soon = tickerq.schedule(add.s(3))

    def found(task: Any, **given: Any) -> list[object]:
        return [run.id for run in tickerq.assert_scheduled(task, **given)]

    assert found(add) == found("shop.add") == [late.id, soon.id]
    assert found(add.s(2, second=START)) == found(add.si(2, second=START)) == [late.id]
    assert found(add, at=START) == [soon.id]
    assert found(add.s(3), at=START) == [soon.id]
    tickerq.refute_scheduled(add.s(2))
    tickerq.refute_scheduled(add.s(3), at=START + timedelta(minutes=1))
    with pytest.raises(
        AssertionError, match=r"no run of shop\.add with request \{'args': \[4\], 'kwargs': \{\}\}"
    ):
        tickerq.assert_scheduled(add.s(4))
    with pytest.raises(AssertionError, match=r"runs of shop\.add .* are scheduled, and none should be"):
        tickerq.refute_scheduled(add.s(3))


def test_a_function_of_the_same_name_is_another(tickerq: TickerQTest, shop: TickerQ, add: Any) -> None:
    shop.function("shop.add")(lambda context: None)
    tickerq.time_tickers.add(TimeTicker("shop.add", delay=60))
    tickerq.assert_scheduled("shop.add")
    tickerq.refute_scheduled(add)


def test_a_task_that_was_not_scheduled_is_no_unknown_function(tickerq: TickerQTest, add: Any) -> None:
    for task in (add, add.s(2), "shop.add"):
        tickerq.refute_scheduled(task)
    with pytest.raises(UnknownFunctionError):
        tickerq.refute_scheduled("shop.ad")


def test_what_no_run_of_a_task_can_be_is_refused(tickerq: TickerQTest, add: Any) -> None:
    with pytest.raises(
        TickerValidationError, match="request: a Celery task is given arguments: pass a signature"
    ):
        tickerq.assert_scheduled(add, request={"token": "t0p"})
    with pytest.raises(TickerValidationError, match="a canvas is more than one task"):
        tickerq.assert_scheduled(chain(add.s(1), add.s(2)))
