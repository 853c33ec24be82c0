"""Calls with a countdown in a test: they wait in the test's store, and nothing reaches a broker."""

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from celery import states

from tests.kit.users_connections import rolled_back
from tickerq_celery import TickerQ, TickerStatus
from tickerq_celery.errors import ConfigError
from tickerq_celery.testing import TickerQTest, take_over

HOUR = timedelta(hours=1)


pytestmark = pytest.mark.usefixtures("ran")


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"durable_eta": 60}


def remind(shop: TickerQ) -> Any:
    return shop.app.tasks["shop.remind"].apply_async((17,), countdown=HOUR.total_seconds())


def test_a_later_call_waits_in_the_tests_store_until_its_clock_says_so(
    tickerq: TickerQTest, shop: TickerQ, ran: list[Any]
) -> None:
    result = remind(shop)
    (run,) = tickerq.runs.find()
    assert (run.task_id, run.status) == (result.id, TickerStatus.IDLE)
    assert run.execution_time is not None
    assert timedelta(0) <= tickerq.clock.now() + HOUR - run.execution_time < timedelta(minutes=1)
    assert tickerq.run_due() == []
    tickerq.clock.advance(hours=1)
    (done,) = tickerq.run_due()
    assert (done.id, done.status, ran) == (run.id, TickerStatus.DONE, [17])


def test_no_result_backend_is_told_of_a_call_that_a_test_cancels(tickerq: TickerQTest, shop: TickerQ) -> None:
    shop.app.conf.result_backend = "cache+memory://"
    result = remind(shop)
    (run,) = tickerq.runs.find()
    assert shop.runs.cancel(run.id).status is TickerStatus.CANCELLED
    assert shop.app.AsyncResult(result.id).state == states.PENDING


def test_in_a_connection_of_the_tests_a_call_is_part_of_its_transaction(
    store_url: str, shop: TickerQ, tmp_path: Path
) -> None:
    # Threads of earlier tests may end meanwhile; this one must add none.
    threads = set(threading.enumerate())
    with (
        rolled_back(store_url) as connection,
        take_over(shop, folder=tmp_path, connection=connection) as tickerq,
    ):
        remind(shop)
        assert tickerq.runs.count() == 1
    assert set(threading.enumerate()) <= threads
    with (
        rolled_back(store_url) as connection,
        take_over(shop, folder=tmp_path, connection=connection) as again,
    ):
        assert again.runs.count() == 0


def test_a_call_that_no_test_has_taken_over_does_not_reach_the_applications_store(
    shop: TickerQ, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TICKERQ_ALLOWED_STORES", "")
    with pytest.raises(ConfigError, match="a test was about to write"):
        remind(shop)
