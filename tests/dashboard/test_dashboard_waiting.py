"""A run that waits again is shown as it waits now, not as its earlier attempt was."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.dashboard.conftest import Visitor
from tests.dashboard.page_text import text_in, text_of
from tests.dashboard.seeds import NOW, Seeds
from tickerq_celery import TickerStatus
from tickerq_dashboard.show.moments import machine

AGAIN: dict[str, Any] = {
    "status": TickerStatus.QUEUED,
    "execution_time": NOW - timedelta(minutes=9),
    "started_at": NOW - timedelta(minutes=5),
    "published_at": NOW,
    "due_at": None,
}


def rows_of(page: str) -> str:
    """What a reader sees of the rows of a list."""
    return text_in(page.partition("<tbody>")[2].partition("</tbody>")[0])


@pytest.mark.parametrize(
    ("status", "since", "has_lag"),
    [
        (TickerStatus.QUEUED, AGAIN["published_at"], False),
        (TickerStatus.IN_PROGRESS, AGAIN["started_at"], True),
    ],
)
def test_only_an_attempt_that_runs_says_since_when_and_how_late(
    visitor: Visitor, seeds: Seeds, status: TickerStatus, since: datetime, has_lag: bool
) -> None:
    run_id = seeds.run(**AGAIN | {"status": status})
    page = visitor.get("/runs/active").text
    assert f'<td><time datetime="{machine(since)}"' in page
    assert ("4 min" in rows_of(page)) == has_lag
    assert (" Lag " in text_of(visitor.get(f"/runs/{run_id}").text)) == has_lag
