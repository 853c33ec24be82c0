"""Tickers of Celery's tasks that take pydantic models: their arguments are kept as Celery sends them."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from celery import Task
from pydantic import BaseModel

from tests.integration.apps import dispatch_due, fire_crons, messages, ticker_app
from tests.manual_clock import ManualClock
from tickerq_celery import CronTicker, TickerQ, TimeTicker
from tickerq_celery.errors import TickerValidationError

dumps_models = pytest.mark.skipif(
    not hasattr(Task, "_dump_pydantic_arguments"), reason="Celery before 5.7 sends no models"
)
ORDER = {"id": 3, "note": "fragile"}


class Order(BaseModel):
    id: int
    note: str = "fragile"


@pytest.fixture
def tickerq(store_url: str, namespace: str, clock: ManualClock) -> Iterator[TickerQ]:
    with ticker_app(store_url, namespace, clock) as made:
        yield made


@pytest.fixture
def billed() -> list[tuple[Any, Any]]:
    return []


@pytest.fixture
def bill(tickerq: TickerQ, billed: list[tuple[Any, Any]]) -> Any:
    @tickerq.app.task(name="shop.bill", pydantic=True, shared=False)
    def bill(order: Order, copy_of: Order | None = None) -> None:
        billed.append((order, copy_of))

    return bill


@dumps_models
def test_a_model_is_kept_as_its_dump_wherever_a_task_is_given_one(tickerq: TickerQ, bill: Any) -> None:
    order = Order(id=3)
    batch = [
        TimeTicker(task=bill, args=(order,), delay=60),
        TimeTicker(task=bill.s(order), delay=60),
        TimeTicker(task="shop.bill", args=[order], delay=60),
    ]
    runs = [*tickerq.time_tickers.add_batch(batch), tickerq.schedule(bill.s(order), delay=60)]
    assert [run.request["args"] for run in runs] == [[ORDER]] * 4
    by_name = tickerq.schedule(bill, kwargs={"order": order}, delay=60)
    assert by_name.request["kwargs"] == {"order": ORDER}
    changed = tickerq.time_tickers.update(runs[0].id, args=[Order(id=4), order])
    assert changed.request["args"] == [{**ORDER, "id": 4}, ORDER]


@dumps_models
def test_a_cron_ticker_and_a_child_are_given_models(tickerq: TickerQ, bill: Any) -> None:
    child = TimeTicker(task=bill, args=[Order(id=3)])
    cron = tickerq.cron_tickers.add(
        CronTicker(task=bill, args=[Order(id=2)], expression="0 9 * * *", children=[child])
    )
    assert cron.request["args"] == [{**ORDER, "id": 2}]
    occurrence = tickerq.cron_tickers.run_now(cron.id)
    (below,) = tickerq.runs.find(parent_id=occurrence.id)
    assert below.request["args"] == [ORDER]


@dumps_models
def test_the_task_gets_an_equal_model(
    tickerq: TickerQ, bill: Any, billed: list[tuple[Any, Any]], clock: ManualClock
) -> None:
    tickerq.schedule(bill.s(Order(id=3), copy_of=Order(id=2)), delay=60)
    tickerq.cron_tickers.add(CronTicker(task=bill, args=[Order(id=4)], every=60))
    clock.advance(minutes=1)
    fire_crons(tickerq)
    dispatch_due(tickerq)
    for message in messages(tickerq):
        args, kwargs, _ = json.loads(message.body)
        bill(*args, **kwargs)
    assert sorted(billed, key=repr) == [(Order(id=3), Order(id=2)), (Order(id=4), None)]


def test_a_model_is_refused_where_its_task_does_not_take_it(tickerq: TickerQ, bill: Any) -> None:
    @tickerq.app.task(name="shop.plain", shared=False)
    def plain(order: Any) -> None: ...

    refused: list[dict[str, Any]] = [
        {"task": plain},
        {"task": "shop.elsewhere"},
        # Another application's task may have the same name, and no such model.
        {"task": bill, "namespace": "elsewhere"},
    ]
    for fields in refused:
        with pytest.raises(TickerValidationError, match=r"^args\[0\]: .*Object of type Order is not JSON"):
            tickerq.time_tickers.add(TimeTicker(args=[Order(id=3)], **fields), allow_unknown=True)
    assert tickerq.runs.count() == 0
