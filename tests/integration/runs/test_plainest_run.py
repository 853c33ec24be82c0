"""The plainest run, from its add to its end, costs nothing for features that it does not use."""

import re
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from tests.integration.apps import deliver, dispatch_due, enrol_worker, messages, ticker_app
from tests.integration.making import statements_of
from tests.manual_clock import ManualClock
from tickerq_celery import TickerQ, TickerStatus, TimeTicker

TABLE = re.compile(r"\btickerq_[a-z_]+")
pytestmark = pytest.mark.every_database
# A run and its attempt; of workers, which functions they have. Not: pauses, functions, progress, logs, audit.
USED = {"added": {"tickers"}, "claimed": {"tickers", "nodes"}, "run": {"tickers", "attempts"}}
MOST = {"added": 2, "claimed": 5, "run": 4}


@pytest.fixture
def tickerq(store_url: str, namespace: str, clock: ManualClock) -> Iterator[TickerQ]:
    with ticker_app(store_url, namespace, clock) as made:
        made.function("Plain")(lambda: None)
        enrol_worker(made)
        yield made


def test_the_plainest_run_touches_no_table_of_a_feature_that_it_does_not_use(
    tickerq: TickerQ, clock: ManualClock
) -> None:
    run_one(tickerq, clock)  # what is asked for once a process is known then
    threads = set(threading.enumerate())
    sent = run_one(tickerq, clock)
    # What a driver sends past SQLAlchemy is counted elsewhere, by round trips.
    others = {step: tables_in(statements) - USED[step] for step, statements in sent.items()}
    assert not any(others.values()), others
    assert {step: len(statements) for step, statements in sent.items() if len(statements) > MOST[step]} == {}
    assert set(threading.enumerate()) == threads


def run_one(tickerq: TickerQ, clock: ManualClock) -> dict[str, list[str]]:
    """Add a run, claim and publish it, start and finish it; return the statements of each step."""
    due = clock.now() + timedelta(seconds=5)
    added = during(
        tickerq, lambda: tickerq.time_tickers.add(TimeTicker(function="Plain", execution_time=due))
    )
    clock.advance(seconds=6)
    claimed = during(tickerq, lambda: dispatch_due(tickerq))
    (message,) = messages(tickerq)
    run = during(tickerq, lambda: deliver(tickerq, message))
    assert {each.status for each in tickerq.runs.find()} == {TickerStatus.DONE}
    return {"added": added, "claimed": claimed, "run": run}


def during(tickerq: TickerQ, work: Callable[[], object]) -> list[str]:
    return statements_of(tickerq.core, work)


def tables_in(statements: list[str]) -> set[str]:
    return {found.removeprefix("tickerq_") for each in statements for found in TABLE.findall(each)}
