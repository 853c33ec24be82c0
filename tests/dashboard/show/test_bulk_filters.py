"""What a bulk job is about, in the words of the pages."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.dashboard.seeds import Seeds
from tickerq_celery import TickerType
from tickerq_dashboard.show.bulk_filters import EVER, job_runs
from tickerq_dashboard.show.durations import THIN
from tickerq_dashboard.show.moments import Clock

NOW = datetime(2026, 11, 26, 14, 4, 12, tzinfo=UTC)
CLOCK = Clock(now=NOW, zone=UTC, name="UTC")
ID = UUID("01a22002-fce2-70db-84cc-3275c6711111")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"ids": [ID]}, "1 run chosen one by one"),
        ({"everything": True}, "all runs"),
        ({"status": ["failed", "in_progress"], "tag": "eu"}, "status Failed, In progress, tag eu"),
        (
            {"function_prefix": "shop.", "error": "vat", "error_type": "KeyError"},
            "function begins shop., error or reason has vat, error KeyError",
        ),
        (
            {"function": ["A", "B"], "type": TickerType.CRON_TICKER_OCCURRENCE},
            "function A, B, type occurrences of cron tickers",
        ),
        ({"is_late": True, "is_published": False}, "not published, only late"),
        ({"root_id": ID}, f"chain {ID}"),
        ({"origin": "misfire"}, "made by a record of missed instants"),
        ({"ended_from": NOW - timedelta(hours=1)}, "ended since 13:04:12 UTC"),
        (
            {"min_attempts": 2, "min_elapsed": timedelta(minutes=2)},
            f"at least 2 attempts, took at least 2{THIN}min",
        ),
        ({"status": "idle", "due_from": EVER}, "status Idle, waiting for their moment"),
        ({"tag": "eu", "ended_from": EVER}, "tag eu, that have ended"),
        ({"status": "idle", "exclude": {"due_from": EVER}}, "status Idle, not waiting for their moment"),
        ({"queue": "slow", "exclude": {"tag": "eu", "node": "w1"}}, "queue slow, not tag eu and node w1"),
    ],
)
def test_a_job_says_which_runs_it_means_as_the_lists_say_it(
    seeds: Seeds, asked: dict[str, Any], said: str
) -> None:
    assert job_runs(seeds.tickerq.bulk.start("cancel", **asked), CLOCK) == said
