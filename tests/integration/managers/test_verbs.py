"""Both managers have the same six verbs, for one and for several; a read of what is missing says so."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.integration.apps import ticker_app
from tickerq_celery import CronTicker, TickerQ, TimeTicker
from tickerq_celery.errors import TickerNotFoundError

pytestmark = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


@pytest.fixture
def tickerq(store_url: str, namespace: str) -> Iterator[TickerQ]:
    with ticker_app(store_url, namespace) as made:
        made.function("Any")(lambda: None)
        yield made


@pytest.mark.parametrize(
    ("name", "ticker"),
    [
        ("time_tickers", TimeTicker(function="Any")),
        ("cron_tickers", CronTicker(function="Any", expression="@daily")),
    ],
)
def test_one_or_several_are_added_changed_and_deleted(
    tickerq: TickerQ, name: str, ticker: TimeTicker | CronTicker
) -> None:
    manager = getattr(tickerq, name)
    one = manager.add(ticker)
    two, three = manager.add_batch([ticker, ticker])
    assert manager.update(one.id, description="one").description == "one"
    changes = {two.id: {"description": "two"}, three.id: {"description": "three"}}
    assert [each.description for each in manager.update_batch(changes)] == ["two", "three"]
    assert [each.description for each in manager.find()] == ["three", "two", "one"]
    manager.delete(one.id)
    assert manager.delete_batch([two.id, three.id, one.id]) == 2
    assert not manager.find()


@pytest.mark.parametrize(
    ("manager", "name"),
    [("time_tickers", "get"), ("runs", "get"), ("cron_tickers", "get"), ("cron_tickers", "upcoming")],
)
def test_a_read_of_one_thing_that_is_missing_says_so(tickerq: TickerQ, manager: str, name: str) -> None:
    missing = uuid4()
    with pytest.raises(TickerNotFoundError, match=f"has the id {missing}") as caught:
        getattr(getattr(tickerq, manager), name)(missing)
    assert caught.value.ticker_id == missing


def test_a_batch_of_changes_with_one_that_is_missing_says_so(tickerq: TickerQ) -> None:
    missing = uuid4()
    for manager in (tickerq.time_tickers, tickerq.cron_tickers):
        with pytest.raises(TickerNotFoundError, match=f"has the id {missing}"):
            manager.update_batch({missing: {"description": "changed"}})
        assert manager.delete_batch([missing]) == 0


def test_batches_are_returned_in_the_order_given(tickerq: TickerQ) -> None:
    once, again = TimeTicker(function="Any"), CronTicker(function="Any", expression="@daily")
    for manager, ticker in ((tickerq.time_tickers, once), (tickerq.cron_tickers, again)):
        ids = [each.id for each in manager.add_batch([ticker] * 5)]
        assert ids == sorted(ids)
        turned = [ids[3], ids[0], ids[4]]
        changed = manager.update_batch({each: {"description": str(each)} for each in turned})
        assert [each.id for each in changed] == turned
        assert [each.description for each in changed] == [str(each) for each in turned]
