"""The examples of docs/reference/limits.md, run as they stand there."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.apps import enrol_worker, ticker_app
from tests.manual_clock import ManualClock
from tickerq_celery import TickerPriority, TickerQ, TickerStatus
from tickerq_celery.enums import HoldReason
from tickerq_celery.views import TickerConfig

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "limits.md").read_text()
FUNCTIONS, TICKERS, QUEUES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def tickerq(store_url: str, namespace: str, clock: ManualClock) -> Iterator[TickerQ]:
    with ticker_app(store_url, namespace, clock) as made:
        yield made


# The page is about what is decided for any database.
@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_the_functions_of_the_page_limit_what_it_says(tickerq: TickerQ) -> None:
    words: dict[str, Any] = {"tickerq": tickerq}
    exec(FUNCTIONS.replace("@ticker_function", "@tickerq.function"), words)
    enrol_worker(tickerq)
    exec(TICKERS, words)
    runs = sorted(tickerq.time_tickers.find(), key=lambda run: run.id)
    assert [(run.status, run.held_for) for run in runs] == [
        (TickerStatus.QUEUED, None),
        (TickerStatus.IDLE, HoldReason.KEY),
        (TickerStatus.QUEUED, None),
        (TickerStatus.QUEUED, None),
    ]
    assert runs[3].priority is TickerPriority.HIGH
    for function in ("build_report", "call_partner"):
        for _ in range(3):
            words[function].schedule({})
    queued = tickerq.time_tickers.find(status=TickerStatus.QUEUED)
    assert Counter(run.function for run in queued) == {"SyncCustomer": 2, "CallPartner": 1, "BuildReport": 2}


def test_the_queues_of_the_page_are_a_setting() -> None:
    words: dict[str, Any] = {}
    exec(QUEUES, words)
    assert TickerConfig(priority_queues=words["PRIORITY_QUEUES"]).priority_queues == {
        TickerPriority.LONG_RUNNING: "long",
        TickerPriority.HIGH: "urgent",
    }
