"""A run that waits again is shown as it waits now, not as its earlier attempt was."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.dashboard.conftest import BASE, Visitor
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


@pytest.mark.parametrize(
    ("columns", "listed"),
    [
        ({"status": TickerStatus.QUEUED}, "runs/active"),
        ({"held_for": "limit", "held_since": NOW}, "runs/active"),
        ({}, "runs/upcoming"),
        ({"status": TickerStatus.DONE}, "runs"),
    ],
)
def test_a_run_links_to_the_list_that_it_is_in(
    visitor: Visitor, seeds: Seeds, columns: dict[str, Any], listed: str
) -> None:
    page = visitor.get(f"/runs/{seeds.run(queue='pdf', **columns)}").text
    for words in ("queue=pdf", "function=SendWelcomeEmail"):
        assert f'href="{BASE}/{listed}?{words}"' in page


def test_a_run_that_ended_without_an_attempt_was_never_attempted(visitor: Visitor, seeds: Seeds) -> None:
    for status, is_over in ((TickerStatus.SKIPPED, True), (TickerStatus.IDLE, False)):
        page = text_of(visitor.get(f"/runs/{seeds.run(status=status)}").text)
        assert ("It was never attempted." in page) == is_over
        assert ("No attempt has ended yet" in page) != is_over
