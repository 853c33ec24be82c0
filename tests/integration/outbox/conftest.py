"""Fixtures for tests of the outbox: an app with one task of its own, on a store that the test chose."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.apps import ticker_app
from tests.manual_clock import ManualClock
from tickerq_celery import TickerQ


@pytest.fixture
def shop(store_url: str, namespace: str, clock: ManualClock) -> Iterator[TickerQ]:
    """An app with a task, ``shop.add``, that no worker runs."""
    with ticker_app(store_url, namespace, clock) as tickerq:

        @tickerq.app.task(name="shop.add", shared=False)
        def add(*numbers: Any, **others: Any) -> int:
            return len(numbers)

        yield tickerq


@pytest.fixture
def add(shop: TickerQ) -> Any:
    """The task of the app."""
    return shop.app.tasks["shop.add"]
