"""Finding and counting runs by each filter, on each database."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.integration.apps import change_row, enrol_worker, ticker_app
from tests.manual_clock import START, ManualClock
from tickerq_celery import CronTicker, TickerQ, TickerStatus, TickerType, TimeTicker
from tickerq_celery.errors import TickerValidationError

HOUR = timedelta(hours=1)
Status = TickerStatus


@pytest.fixture
def tickerq(store_url: str, namespace: str, clock: ManualClock) -> Iterator[TickerQ]:
    with ticker_app(store_url, namespace, clock) as made:
        made.function("Send")(lambda: None)
        made.function("Count")(lambda: None)
        enrol_worker(made)
        yield made


@pytest.fixture
def runs(tickerq: TickerQ) -> dict[str, UUID]:
    """Five runs that differ in everything that can be looked for."""
    add = tickerq.time_tickers.add
    cron = tickerq.cron_tickers.add(CronTicker(function="Count", expression="0 * * * *"))
    made = {
        "idle": add(TimeTicker(function="Send", execution_time=START + 2 * HOUR, tags=["eu"])).id,
        "held": add(TimeTicker(function="Send", execution_time=START + 3 * HOUR)).id,
        "failed": add(TimeTicker(function="Send", execution_time=START + HOUR)).id,
        "running": add(TimeTicker(function="Count", execution_time=START + HOUR)).id,
        "occurrence": tickerq.cron_tickers.run_now(cron.id).id,
    }
    change_row(tickerq, made["held"], due_at=None, held_for="limit", hold_key="Send", parent_id=made["idle"])
    change_row(
        tickerq, made["failed"], status=Status.FAILED, due_at=None, ended_status=Status.FAILED,
        ended_at=START + HOUR, exception_type="OSError", exception_message="50% of Hosts_ are down",
    )  # fmt: skip
    change_row(tickerq, made["running"], status=Status.IN_PROGRESS, due_at=None, running_on=uuid4())
    return {**made, "cron": cron.id}


def found(tickerq: TickerQ, runs: dict[str, UUID], **filters: Any) -> list[str]:
    names = {id_: name for name, id_ in runs.items()}
    page = tickerq.runs.find(**filters)
    assert tickerq.runs.count(**filters) == len(page.items)
    return [names[run.id] for run in page.items]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, ["occurrence", "running", "failed", "held", "idle"]),
        ({"function": "Count"}, ["occurrence", "running"]),
        ({"function": None, "status": None}, ["occurrence", "running", "failed", "held", "idle"]),
        ({"status": Status.FAILED}, ["failed"]),
        ({"status": Status.IN_PROGRESS}, ["running"]),
        ({"status": [Status.FAILED, Status.IN_PROGRESS]}, ["running", "failed"]),
        ({"status": []}, []),
        ({"held_for": "limit"}, ["held"]),
        ({"held_for": "paused"}, []),
        ({"type": TickerType.CRON_TICKER_OCCURRENCE}, ["occurrence"]),
        ({"tag": "eu"}, ["idle"]),
        ({"tag": "e"}, []),
        ({"error": "hosts_"}, ["failed"]),
        ({"error": "oserror"}, ["failed"]),
        ({"error": "50%"}, ["failed"]),
        ({"error": "h%s"}, []),
        ({"execution_from": START + 2 * HOUR}, ["held", "idle"]),
        ({"execution_until": START + 2 * HOUR}, ["occurrence", "running", "failed"]),
        ({"execution_from": START + HOUR, "execution_until": START + 2 * HOUR}, ["running", "failed"]),
        ({"ended_from": START + HOUR}, ["failed"]),
        ({"ended_until": START + HOUR}, []),
        ({"status": Status.IDLE, "function": "Send", "tag": "eu"}, ["idle"]),
    ],
)
def test_a_run_is_found_by_what_it_is(
    tickerq: TickerQ, runs: dict[str, UUID], filters: dict[str, Any], expected: list[str]
) -> None:
    assert found(tickerq, runs, **filters) == expected


def test_published_celery_tasks_are_found_and_counted_apart(tickerq: TickerQ, runs: dict[str, UUID]) -> None:
    for name in ("running", "failed", "occurrence"):
        change_row(tickerq, runs[name], kind="celery_task")
    for name in ("occurrence", "idle"):
        end = {"status": Status.DONE, "ended_status": Status.DONE, "ended_at": START}
        change_row(tickerq, runs[name], due_at=None, **end)
    assert found(tickerq, runs, outcome_known=False) == ["occurrence"]
    assert found(tickerq, runs, outcome_known=True) == ["running", "failed", "held", "idle"]
    assert found(tickerq, runs, status=Status.DONE) == ["occurrence", "idle"]
    assert found(tickerq, runs, status=Status.DONE, outcome_known=True) == ["idle"]
    assert {run.id: run.outcome_known for run in tickerq.runs.find().items} == {
        runs[name]: name != "occurrence" for name in ("occurrence", "running", "failed", "held", "idle")
    }


def test_a_run_is_found_by_its_parent_and_by_its_cron_ticker(tickerq: TickerQ, runs: dict[str, UUID]) -> None:
    assert found(tickerq, runs, parent_id=str(runs["idle"])) == ["held"]
    assert found(tickerq, runs, cron_ticker_id=runs["cron"]) == ["occurrence"]
    occurrences = tickerq.cron_tickers.occurrences
    assert [run.id for run in occurrences(runs["cron"], function="Count").items] == [runs["occurrence"]]
    assert occurrences(runs["cron"], status=Status.FAILED).items == ()


def test_pages_follow_each_other_within_a_filter(tickerq: TickerQ, runs: dict[str, UUID]) -> None:
    first = tickerq.time_tickers.find(function="Send", limit=2)
    rest = tickerq.time_tickers.find(function="Send", limit=2, cursor=first.next_cursor)
    assert [run.id for run in first.items + rest.items] == [runs[name] for name in ("failed", "held", "idle")]
    assert rest.next_cursor is None


def test_a_count_goes_no_further_than_its_limit(tickerq: TickerQ, runs: dict[str, UUID]) -> None:
    assert tickerq.runs.count(limit=3) == 3
    assert tickerq.time_tickers.count() == 4
    with pytest.raises(TickerValidationError, match="limit"):
        tickerq.runs.count(limit=10_001)


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "filters",
    [
        {"status": "Dun"}, {"status": [99]}, {"status": True}, {"type": TickerStatus.QUEUED},
        {"held_for": "nothing"}, {"type": 7}, {"error": ""},
        {"error": "x" * 201}, {"error": "\x00"}, {"parent_id": "no"}, {"cron_ticker_id": 7},
        {"execution_from": START.replace(tzinfo=None)}, {"ended_until": "today"}, {"colour": "red"},
        {"outcome_known": "no"},
    ],
)  # fmt: skip
def test_a_filter_that_means_nothing_is_refused_by_its_name(
    tickerq: TickerQ, filters: dict[str, Any]
) -> None:
    (name,) = filters
    with pytest.raises(TickerValidationError, match=f"^{name}: "):
        tickerq.runs.find(**filters)
