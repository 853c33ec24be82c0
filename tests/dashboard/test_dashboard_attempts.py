"""How many attempts a run had and may have: its retries, its rescues, and those before it was retried."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from tests.dashboard.conftest import BASE, LOGIN, QUICK_HASH, Visitor
from tests.dashboard.page_text import text_in, text_of
from tests.dashboard.seeds import NOW, Seeds
from tests.inner import new_id
from tickerq_celery import TickerStatus
from tickerq_dashboard import create_app
from tickerq_dashboard.show.attempts import attempt_dots, attempts_made

RUNS = {"status": TickerStatus.IN_PROGRESS, "due_at": None, "running_on": new_id(), "started_at": NOW}
QUEUED = {"status": TickerStatus.QUEUED, "due_at": None, "started_at": NOW, "published_at": NOW}
WAITS = {"started_at": NOW, "execution_time": NOW}
CANCELLED = {"status": TickerStatus.CANCELLED, "started_at": NOW, "exception_type": "KeyError"}
IN_WAITING = {"skipped_reason": "cancelled before it ran by ann"}
LIST_OF = {"ended": "/runs", "active": "/runs/active", "upcoming": "/runs/upcoming"}


@pytest.fixture
def app(seeds: Seeds) -> Flask:
    return create_app(seeds.tickerq, users={"admin": (QUICK_HASH, "admin")})


def in_list(page: str) -> str:
    """What the only row of a list says of attempts."""
    row = page.partition("<tbody>")[2].partition("</tbody>")[0]
    return text_in(row.split("<td>")[-2]).strip()


@pytest.mark.parametrize(
    ("listed", "columns", "shown", "given"),
    [
        ("active", {**RUNS, "retries": 0}, "1/1", ""),
        ("active", {**RUNS, "retries": 0, "rescue_count": 1}, "2/2", "with 1 rescue"),
        ("active", {**QUEUED, "retries": 0, "rescue_count": 1}, "1/2", "with 1 rescue"),
        ("active", {**RUNS, "retries": 2, "retry_count": 1, "rescue_count": 2}, "4/5", "with 2 rescues"),
        ("active", {**RUNS, "retries": 1, "attempts_before": 2}, "3/4", "2 before it was retried"),
        ("active", {**QUEUED, "started_at": None}, "", ""),
        ("active", {**RUNS, "kind": "celery_task", "executions": 3}, "3", ""),
        ("upcoming", {**WAITS, "retries": 3, "retry_count": 1}, "1/4", ""),
        ("ended", {"status": TickerStatus.FAILED, "retries": 0, "rescue_count": 3}, "4/4", "with 3 rescues"),
        ("ended", {"status": TickerStatus.CANCELLED}, "", ""),
        ("ended", {**CANCELLED, "retries": 3, "retry_count": 1}, "2/4", ""),
        ("ended", {**CANCELLED, "retries": 3, "retry_count": 1, **IN_WAITING}, "1/4", ""),
        ("ended", {**CANCELLED, "retries": 0, "rescue_count": 1, **IN_WAITING}, "1/2", "with 1 rescue"),
    ],
)
def test_lists_and_its_page_count_what_it_was_given_beside_its_retries(
    visitor: Visitor, seeds: Seeds, listed: str, columns: dict[str, Any], shown: str, given: str
) -> None:
    if listed == "upcoming":
        columns = columns | {"due_at": datetime.now(UTC) + timedelta(hours=1)}
    run_id = seeds.run(**columns)
    assert in_list(visitor.get(LIST_OF[listed]).text) == shown
    band = text_of(visitor.get(f"/runs/{run_id}").text).partition("Queue as Celery")[0]
    assert band.partition(" Attempts ")[2].strip() == f"{shown} {given}".strip()


def test_one_that_was_cancelled_while_it_waited_for_a_retry_had_failed_attempts_only(
    seeds: Seeds,
) -> None:
    coming = datetime.now(UTC) + timedelta(minutes=5)
    run_id = seeds.run(**WAITS, retries=3, retry_count=2, due_at=coming, exception_type="KeyError")
    seeds.tickerq.runs.cancel(run_id)
    [run] = seeds.tickerq.runs.history()
    assert (run.status, run.skipped_head) == (TickerStatus.CANCELLED, "cancelled before it ran")
    assert (attempts_made(run), attempt_dots(run)) == ((2, 4), "ff")
    whole = seeds.tickerq.runs.get(run_id)
    assert (attempts_made(whole), attempt_dots(whole)) == ((2, 4), "ff")


def test_the_attempt_that_a_rescue_gives_is_drawn_as_to_come(visitor: Visitor, seeds: Seeds) -> None:
    coming = datetime.now(UTC) + timedelta(minutes=5)
    run_id = seeds.run(retries=0, rescue_count=1, due_at=coming, execution_time=NOW, started_at=NOW)
    seeds.attempt(run_id, exception_type="WorkerLost", exception_message="x")
    page = text_of(visitor.get(f"/runs/{run_id}").text)
    assert "1 WorkerLost found lost 2 to come in 4 min As a table" in page
    assert "Next attempt in 4 min" in page


def test_what_began_again_has_no_lag_of_its_own(visitor: Visitor, seeds: Seeds) -> None:
    late = {"execution_time": NOW - timedelta(minutes=3)}
    for columns in ({"rescue_count": 1}, {"attempts_before": 1}, {"retry_count": 1}):
        assert " Lag " not in text_of(visitor.get(f"/runs/{seeds.run(**RUNS, **late, **columns)}").text)
    assert " Lag 3 min " in text_of(visitor.get(f"/runs/{seeds.run(**RUNS, **late)}").text)


def test_the_api_says_of_each_run_in_a_list_what_its_attempts_are_made_of(app: Flask, seeds: Seeds) -> None:
    seeds.run(**RUNS, rescue_count=2, attempts_before=3)
    (item,) = app.test_client().get(f"{BASE}/api/v1/runs/active", headers=LOGIN).get_json()["items"]
    assert (item["rescue_count"], item["attempts_before"], item["executions"]) == (2, 3, 0)


def test_one_figure_says_how_long_the_last_attempt_ran(visitor: Visitor, seeds: Seeds) -> None:
    columns = {"status": TickerStatus.DONE, "retry_count": 1, "started_at": NOW + timedelta(minutes=1)}
    run_id = seeds.run(**columns, elapsed=timedelta(milliseconds=1))
    seeds.attempt(run_id, exception_type="KeyError")
    started, ended = columns["started_at"], columns["started_at"] + timedelta(milliseconds=9)
    seeds.attempt(run_id, number=1, status=TickerStatus.DONE, started_at=started, ended_at=ended)
    page = text_of(visitor.get(f"/runs/{run_id}").text)
    assert page.count("1 ms") == 3
    assert page.count("2 s") == 2
    assert "9 ms" not in page
