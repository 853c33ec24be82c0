"""Both managers have the same six verbs, for one and for several."""

from collections.abc import Iterator

import pytest

from tests.integration.apps import ticker_app
from tickerq_celery import CronTicker, TickerQ, TimeTicker

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
    assert manager.delete(one.id)
    assert manager.delete_batch([two.id, three.id, one.id]) == 2
    assert not manager.find()
