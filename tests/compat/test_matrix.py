"""Each way in which teams run Celery: each call is executed once, and its run says how it ended."""

from collections import Counter
from collections.abc import Callable

import pytest

from tests.acceptance.waiting import wait_until
from tests.compat.rows import CASES, Row
from tests.compat.shop import Call, Shop
from tickerq_celery import Run, TickerStatus
from tickerq_celery.enums import SUCCEEDED

pytestmark = pytest.mark.acceptance

DONE, FAILED = TickerStatus.DONE, TickerStatus.FAILED
DURABLE_ETA = 1.5
TICK = {"beat_schedule": {"tick": {"task": "shop.tick", "schedule": 1.0}}}
CALLS = (
    Call(name="one-off", task="shop.add", args=(2, 3), options={"delay": 0.5}),
    Call(name="fails", task="shop.decline", args=("no such customer",)),
    # The first wait stays with Celery, which on quorum queues takes whole seconds; the second is a row's.
    Call(name="retried", task="shop.charge", args=([1, 2],)),
    Call(name="countdown", task="shop.add", args=(3, 4), way="apply_async", options={"countdown": 2}),
)
# Of the bodies: one that is retried begins once more for each retry.
EXECUTIONS = {"one-off": 1, "fails": 1, "retried": 3, "countdown": 1}


@pytest.fixture
def make_row(
    make_shop: Callable[..., Shop], new_broker: Callable[[str], str], store_url: str
) -> Callable[[Row], Shop]:
    """Return the shop that runs as a row says, and has begun to work."""

    def make(row: Row) -> Shop:
        shop = make_shop(
            store_url,
            new_broker(row.broker),
            celery={**TICK, "worker_lost_wait": 0.5, **row.celery},
            environ=row.environ,
            durable_eta=DURABLE_ETA,
        )
        shop.worker("-Q", ",".join([shop.namespace, *row.more_queues]), pool=row.pool)
        shop.beat()
        return shop

    return make


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("row", CASES)
def test_each_call_is_executed_once_and_its_run_says_what_came_of_it(
    make_row: Callable[[Row], Shop], row: Row
) -> None:
    shop = make_row(row)
    ids = shop.call(*CALLS)
    runs = {name: shop.wait_for_task(task_id) for name, task_id in ids.items()}
    ticks = tick_for_a_while(shop)

    executed = shop.executions()
    assert {name: executed.pop(ids[name]) for name in ids} == EXECUTIONS
    assert executed == Counter({str(run.id): 1 for run in ticks})
    assert {run.status for run in ticks} <= SUCCEEDED
    assert {name: run.status in SUCCEEDED for name, run in runs.items()} == {
        "one-off": True, "fails": False, "retried": True, "countdown": True,
    }  # fmt: skip
    for run in (*ticks, runs["one-off"], runs["countdown"]):
        assert [attempt.status for attempt in run.attempts] == [DONE]
    assert_failed(runs["fails"])
    assert_retried(runs["retried"])
    [node] = {attempt.node for run in (*ticks, *runs.values()) for attempt in run.attempts}
    assert node in shop.node_names("worker")
    assert_tracked(shop, row)


def tick_for_a_while(shop: Shop) -> list[Run]:
    """Return the occurrences of the entry, once no more are to come and all have ended."""
    [cron] = shop.tickerq.cron_tickers.find(function="shop.tick")
    wait_until(lambda: len(shop.executions("shop.tick")) >= 3, shop.logs)
    shop.tickerq.cron_tickers.pause(cron.id)
    find = shop.tickerq.runs.find
    wait_until(
        lambda: all(run.ended_at and run.outcome_known for run in find(cron_ticker_id=cron.id, limit=100)),
        shop.logs,
    )
    return [shop.run(run.id) for run in find(cron_ticker_id=cron.id, limit=100)]


def assert_failed(run: Run) -> None:
    [attempt] = run.attempts
    assert (run.status, attempt.status, attempt.number) == (FAILED, FAILED, 0)
    assert (attempt.exception_type, attempt.exception_message) == ("LookupError", "no such customer")
    assert "raise LookupError(reason)" in (attempt.traceback or "")


def assert_retried(run: Run) -> None:
    assert [attempt.status for attempt in run.attempts] == [FAILED, FAILED, DONE]
    assert [attempt.retries for attempt in run.attempts] == [0, 1, 2]
    for attempt in run.attempts[:2]:
        assert "no answer yet" in (attempt.exception_message or "")


def assert_tracked(shop: Shop, row: Row) -> None:
    """A tracker gets one event of what failed, and none of what was retried."""
    if "SHOP_TRACKER" in row.environ:
        tracked = (shop.folder / row.environ["SHOP_TRACKER"]).read_text().splitlines()
        assert tracked == ["shop.decline LookupError"]
