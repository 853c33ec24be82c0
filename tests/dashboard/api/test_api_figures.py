"""Figures that programs read: real rows change them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.dashboard.api.conftest import Program
from tests.dashboard.seeds import Seeds
from tests.integration.stats.rolling import roll_all
from tests.statements import rolled_figures
from tests.tables import functions
from tickerq_celery import TickerStatus
from tickerq_celery.store.database.batches import insert_rows


def ended(seeds: Seeds, status: TickerStatus, **columns: Any) -> None:
    at = datetime.now(UTC) - timedelta(minutes=1)
    moments = {"execution_time": at - timedelta(seconds=5), "started_at": at - timedelta(seconds=3)}
    own = {"ended_at": at, **moments, **columns}
    seeds.run(status=status, executions=1, elapsed=timedelta(seconds=3), created_at=at, **own)


def test_what_ended_is_counted_by_how(seeds: Seeds, program: Program) -> None:
    ended(seeds, TickerStatus.DONE)
    ended(seeds, TickerStatus.FAILED, function="Other", exception_type="CardError")
    found = program.get("/stats/throughput").json
    assert (found["total"]["done"], found["total"]["failed"]) == (1, 1)
    assert sum(each["counts"]["failed"] for each in found["points"]) == 1
    assert found["step"] == 3600.0
    other = program.get("/stats/throughput?function=Other&window=7d").json
    assert (other["total"]["done"], other["total"]["failed"], other["function"]) == (0, 1, "Other")


def test_how_long_it_took_and_waited_is_said_in_seconds(seeds: Seeds, program: Program) -> None:
    ended(seeds, TickerStatus.DONE)
    assert program.get("/stats/durations").json["total"]["longest"] == 3.0
    assert program.get("/stats/lag").json["total"]["count"] == 1


@pytest.mark.parametrize("name", ["durations", "lag"])
def test_a_window_with_too_much_for_one_answer_is_named_with_the_bound(
    seeds: Seeds, program: Program, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    long_ago = datetime.now(UTC) - timedelta(hours=2)
    for status in (TickerStatus.DONE, TickerStatus.FAILED):
        ended(seeds, status, ended_at=long_ago)
    roll_all(seeds.tickerq.core)
    # Those of other tests may have been counted up to now before.
    seeds.tickerq.stats.rebuild(long_ago)
    monkeypatch.setattr(rolled_figures, "MOST_ROWS", 1)
    response = program.get(f"/stats/{name}?window=30d")
    said = (
        "Of the last 30 d, the roll-up has more than the 1 rows that are read at most: "
        "pass a shorter window, or a function."
    )
    found = response.json
    assert (response.status_code, found["detail"]) == (400, said)
    assert found["errors"] == [{"path": "window", "message": said}]


def test_a_function_that_cannot_be_one_is_named(program: Program) -> None:
    response = program.get("/stats/durations?function=" + 201 * "x")
    assert response.status_code == 400
    assert [each["path"] for each in response.json["errors"]] == ["function"]


def test_failures_are_grouped(seeds: Seeds, program: Program) -> None:
    for _ in range(2):
        ended(seeds, TickerStatus.FAILED, exception_type="CardError", exception_message="no money")
    [group] = program.get("/errors").json["groups"]
    assert (group["error_type"], group["count"], group["sample_head"]) == ("CardError", 2, "no money")


def test_what_is_to_come_is_stored_or_computed(seeds: Seeds, program: Program) -> None:
    soon = datetime.now(UTC) + timedelta(hours=2)
    run_id = seeds.run(execution_time=soon, due_at=soon)
    seeds.cron(expression="0 0 * * * *", next_run_at=soon.replace(minute=0, second=0, microsecond=0))
    items = program.get("/upcoming?hours=6&limit=3").json["items"]
    assert len(items) == 3
    assert [each["run_id"] for each in items if not each["is_computed"]] == [str(run_id)]


def test_a_cron_ticker_has_its_last_outcomes(seeds: Seeds, program: Program) -> None:
    cron_id = seeds.cron()
    own = {"cron_ticker_id": cron_id, "type": 0, "origin": "cron", "function": "SendDailyDigest"}
    for status in (TickerStatus.DONE, TickerStatus.FAILED):
        ended(seeds, status, **own)
    seeds.run(status=TickerStatus.DONE, kind="celery_task", **own)
    found = program.get(f"/crons/{cron_id}/figures").json
    assert {each["status"] for each in found["outcomes"]} == {"done", "failed"}
    assert (found["published"], found["success_share"], found["mean_duration"]) == (1, 0.5, 3.0)


def test_calls_that_were_only_published_are_counted_and_listed_apart(seeds: Seeds, program: Program) -> None:
    ended(seeds, TickerStatus.DONE, kind="celery_task")
    unreported = {"ended_at": datetime.now(UTC) - timedelta(minutes=1), "kind": "celery_task"}
    run_id = seeds.run(status=TickerStatus.DONE, **unreported)
    total = program.get("/stats/throughput").json["total"]
    assert (total["done"], total["published"]) == (1, 1)
    done, published = (program.get(f"/runs?status={each}").json["items"] for each in ("done", "published"))
    assert [each["is_published"] for each in done] == [False]
    assert [each["id"] for each in published] == [str(run_id)]


def test_a_function_has_an_example_of_its_request(seeds: Seeds, program: Program) -> None:
    row = {
        "namespace": seeds.tickerq.config.namespace,
        "name": "greet",
        "path": "mail.greet",
        "priority": 2,
        "on_lost": "retry",
        "retries": 0,
        "retry_intervals": [timedelta(seconds=30)],
        "registered_at": datetime.now(UTC),
        "updated_at": datetime.now(UTC),
        "request_schema": {"type": "object", "properties": {"name": {"type": "string", "default": "Ada"}}},
    }
    seeds.tickerq.core.write(insert_rows, functions, [row])
    found = program.get("/functions/greet").json
    assert found["request_schema"] == row["request_schema"]
    assert found["request_example"] == {"name": "Ada"}
    assert [each["name"] for each in program.get("/functions?prefix=gre").json["items"]] == ["greet"]


def test_a_finding_says_what_it_is_about_and_no_address(seeds: Seeds, program: Program) -> None:
    cron_id = seeds.cron(function="Digest", is_enabled=False, paused_at=datetime.now(UTC), paused_by="ann")
    found = program.get("/health").json["findings"]
    subjects = {each["code"]: each["subject"] for each in found if each["subject"]}
    assert subjects["paused"] == {"kind": "cron_ticker", "name": "Digest (0 0 9 * * *)", "id": str(cron_id)}
    assert not {"store", "broker", "file"} & {each["kind"] for each in subjects.values()}
