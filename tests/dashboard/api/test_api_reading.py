"""What programs read: the fields that the route table says, by the rights that they have."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.dashboard.api.conftest import Program
from tests.dashboard.seeds import NOW, Seeds
from tickerq_celery import CronTicker, TickerStatus, TimeTicker
from tickerq_dashboard.api.routes import API_ROUTES
from tickerq_dashboard.reading import reader
from tickerq_dashboard.routing import Route

SECRET_TEXT = "the card 4111 was refused"
ROOT = "/api/v1"


def failed(seeds: Seeds, **columns: Any) -> UUID:
    run_id = seeds.run(
        status=TickerStatus.FAILED,
        exception_type="CardError",
        exception_message=SECRET_TEXT,
        elapsed=timedelta(seconds=2),
        **columns,
    )
    seeds.attempt(run_id, exception_type="CardError", exception_message=SECRET_TEXT, traceback=SECRET_TEXT)
    seeds.log(run_id, [[NOW.isoformat(), "INFO", "began"]])
    return run_id


def reads(seeds: Seeds) -> Iterator[tuple[Route, str]]:
    """Yield what is read without an answer of its own kind, with an address of each."""
    run_id = failed(seeds)
    job = seeds.tickerq.bulk.start("retry", ids=[run_id])
    samples = {
        "uuid:run_id": str(run_id),
        "uuid:cron_id": str(seeds.cron()),
        "uuid:job_id": str(job.id),
        "path:name": "SendDailyDigest",
    }
    for route in API_ROUTES:
        path = route.path.removeprefix(ROOT)
        for part, value in samples.items():
            path = path.replace(f"<{part}>", value)
        if route.method == "GET":
            yield route, path


def test_each_answer_has_the_fields_that_its_model_says(seeds: Seeds, program: Program) -> None:
    for route, path in reads(seeds):
        response = program.get(path)
        assert (response.status_code, response.mimetype) == (200, "application/json"), path
        assert route.answer is not None
        assert set(response.json) == set(route.answer.model_fields), path
        route.answer.model_validate(response.json)
        assert response.headers["Cache-Control"] == "no-store"


def test_a_run_is_said_in_words_seconds_and_utc(seeds: Seeds, program: Program) -> None:
    run_id = failed(seeds, retry_intervals=[timedelta(seconds=90)], tags=["eu"])
    found = program.get(f"/runs/{run_id}").json
    said = {
        name: found[name]
        for name in ("id", "type", "kind", "status", "elapsed", "retry_intervals", "ended_at", "priority")
    }
    assert said == {
        "id": str(run_id),
        "type": "time",
        "kind": "function",
        "status": "failed",
        "elapsed": 2.0,
        "retry_intervals": [90.0],
        "ended_at": "2026-11-24T21:05:00Z",
        "priority": "normal",
    }
    [line] = program.get(f"/runs/{run_id}/log").json["items"]
    assert line == {"attempt": 0, "at": "2026-11-24T21:05:00Z", "level": "INFO", "message": "began"}


def test_lists_take_the_filters_of_the_pages_and_go_both_ways(seeds: Seeds, program: Program) -> None:
    ids = [
        str(failed(seeds, tags=["eu"], ended_at=NOW - timedelta(minutes=each), ended_status=5))
        for each in range(5)
    ]
    seeds.run(status=TickerStatus.DONE, tags=["eu"])
    first = program.get("/runs?status=failed&tag=eu&limit=2").json
    assert [each["id"] for each in first["items"]] == ids[:2]
    assert first["previous"] is None
    second = program.get(f"/runs?status=failed&tag=eu&limit=2&cursor={first['next']}").json
    assert [each["id"] for each in second["items"]] == ids[2:4]
    back = program.get(f"/runs?status=failed&tag=eu&limit=2&cursor={second['previous']}").json
    assert [each["id"] for each in back["items"]] == ids[:2]
    assert len(program.get("/runs?limit=200").json["items"]) == 6


def test_a_list_that_ends_early_says_how_many_rows_it_read_and_how_far(
    seeds: Seeds, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    for minutes in range(6):
        failed(seeds, ended_at=NOW - timedelta(minutes=minutes))
    whole = program.get("/runs?tag=gone").json
    assert (whole["looked_at"], whole["looked_back_to"], whole["next"]) == (None, None, None)
    monkeypatch.setattr(reader, "MOST_SEARCHED", 4)
    early = program.get("/runs?tag=rare").json
    assert (early["items"], early["looked_at"]) == ([], 4)
    # Rows of other namespaces, which the run's database has too, are among those that were looked at.
    assert early["looked_back_to"] >= f"{NOW - timedelta(minutes=3):%Y-%m-%dT%H:%M:%SZ}"
    assert early["next"] is not None


def test_lists_take_what_is_routed_to_a_queue_with_that_queue_only(seeds: Seeds, program: Program) -> None:
    names = ("Bill, send", "Count", "Other")
    ids = {name: str(failed(seeds, function=name)) for name in names}
    found = program.get("/runs?queue=slow&routed=Bill,+send&routed=Count").json
    assert {each["id"] for each in found["items"]} == {ids[name] for name in names[:2]}
    refused = program.get("/runs?tag=eu&routed=Count")
    assert (refused.status_code, "it needs queue" in refused.text) == (400, True), refused.text


def test_a_cursor_is_good_for_its_own_list_and_filters_only(seeds: Seeds, program: Program) -> None:
    for _ in range(3):
        failed(seeds)
    cursor = program.get("/runs?limit=1").json["next"]
    # Of the last character some bits may not count.
    forged = cursor[:-5] + ("A" if cursor[-5] != "A" else "B") + cursor[-4:]
    for path in (
        f"/runs?limit=1&cursor={forged}",
        f"/runs?limit=1&status=failed&cursor={cursor}",
        f"/runs/active?limit=1&cursor={cursor}",
        "/runs?cursor=é",
    ):
        assert program.get(path).status_code == 400, path


def test_who_may_not_see_payloads_reads_types_and_no_texts(
    seeds: Seeds, program: Program, blind: Program
) -> None:
    run_id = failed(seeds, request=b'{"card":4111}')
    for path in (f"/runs/{run_id}", f"/runs/{run_id}/attempts", "/runs", f"/chains/{run_id}", "/errors"):
        seen, hidden = program.get(path), blind.get(path)
        assert hidden.status_code == 200
        assert "4111" not in hidden.text
        if path != "/errors":
            assert "4111" in seen.text
            assert "CardError" in hidden.text
    refused = blind.get(f"/runs/{run_id}/payload")
    assert (refused.status_code, refused.mimetype) == (403, "application/problem+json")
    assert "4111" not in refused.text


def test_what_a_run_returned_for_its_children_hides_its_secrets(
    seeds: Seeds, program: Program, blind: Program
) -> None:
    def found(**columns: Any) -> Any:
        run_id = seeds.run(status=TickerStatus.DONE, due_at=None, **columns)
        assert blind.get(f"/runs/{run_id}/result").status_code == 403
        return program.get(f"/runs/{run_id}/result").json

    kept = {"has_children": True}
    masked = {"id": str(2**53), "token": "\u2022\u2022\u2022"}
    stored = b'{"value":{"id":9007199254740992,"token":"4111"}}'
    assert found(**kept, result=stored) == {"is_kept": True, "result": masked, "problem": None}
    assert found(**kept) == {"is_kept": True, "result": None, "problem": None}
    assert found(**kept, result=b'{"refused":"result: too large"}') == {
        "is_kept": True,
        "result": None,
        "problem": "result: too large",
    }
    assert found() == {"is_kept": False, "result": None, "problem": None}


def test_a_payload_keeps_its_numbers_and_hides_its_secrets(seeds: Seeds, program: Program) -> None:
    request = {"id": 2**53, "least": 2**53 - 1, "minus": -(2**63), "password": "x", "deep": [True, 1.5, None]}
    run_id = seeds.run(request=json.dumps(request).encode())
    found = program.get(f"/runs/{run_id}/payload").json
    assert found == {
        "payload": {
            "id": "9007199254740992",
            "least": 9007199254740991,
            "minus": "-9223372036854775808",
            "password": "•••",
            "deep": [True, 1.5, None],
        },
        "problem": None,
        "is_valid": None,
        "misfits": [],
    }
    half = seeds.run(request=b'{"half":"\\ud800","much":1e999}')
    assert program.get(f"/runs/{half}/payload").json["payload"] == {"half": "\ud800", "much": "inf"}
    closed = program.get(f"/runs/{seeds.run(request=b'sealed', encoding=2)}/payload").json
    assert closed["payload"] is None
    assert "cannot be read" in closed["problem"]
    assert program.get(f"/crons/{seeds.cron(request=b'[1]')}/payload").json["payload"] == [1]


def test_the_payload_of_a_cron_ticker_has_its_chain_with_secrets_masked(
    seeds: Seeds, program: Program
) -> None:
    below = TimeTicker("Tell", request={"password": "x", "to": "ada"}, run_condition="on_failure", timeout=90)
    head = TimeTicker(task="shop.bill", args=[3], queue="mail", children=[below])
    cron = seeds.tickerq.cron_tickers.add(CronTicker("Send", every=60, children=[head]), allow_unknown=True)
    [found] = program.get(f"/crons/{cron.id}/payload").json["children"]
    assert (found["task"], found["function"], found["args"]) == ("shop.bill", None, [3])
    assert (found["queue"], found["run_condition"]) == ("mail", None)
    [told] = found["children"]
    assert (told["function"], told["request"]) == ("Tell", {"password": "•••", "to": "ada"})
    assert (told["run_condition"], told["timeout"], told["children"]) == ("on_failure", 90, [])


def test_what_a_program_has_is_not_sent_again_until_it_changes(seeds: Seeds, program: Program) -> None:
    run_id = failed(seeds)
    path = f"/runs/{run_id}"
    first = program.get(path)
    etag = first.headers["ETag"]
    assert etag.startswith(f'"{first.json["version"]}~')
    again = program.get(path, If_None_Match=etag)
    assert (again.status_code, again.data) == (304, b"")
    assert program.get(path, If_Match="*").status_code == 200
    seeds.tickerq.runs.retry(run_id)
    changed = program.get(path, If_None_Match=etag)
    assert (changed.status_code, changed.json["status"]) == (200, "idle")
    for path in ("/runs", "/crons", "/nodes", "/pauses"):
        assert program.get(path, If_None_Match=program.get(path).headers["ETag"]).status_code == 304, path


def test_two_roles_that_see_different_things_have_different_marks(
    seeds: Seeds, program: Program, blind: Program
) -> None:
    path = f"/runs/{failed(seeds)}"
    assert program.get(path).headers["ETag"] != blind.get(path).headers["ETag"]


def test_the_pulse_counts_what_is_active(seeds: Seeds, program: Program) -> None:
    seeds.run(execution_time=NOW)
    seeds.run(status=TickerStatus.IN_PROGRESS, started_at=NOW)
    found = program.get("/pulse").json
    assert (found["due"], found["in_progress"]) == (
        {"number": 1, "or_more": False},
        {"number": 1, "or_more": False},
    )
    assert found["lag"] > 0
    assert found["severity"] in {"ok", "warning", "failed", "unknown"}


def test_a_cron_ticker_comes_with_its_instants_and_occurrences(seeds: Seeds, program: Program) -> None:
    cron_id = seeds.cron(time_zone="Europe/Berlin", jitter=timedelta(seconds=5), next_run_at=NOW)
    seeds.run(status=TickerStatus.DONE, cron_ticker_id=cron_id, type=0)
    found = program.get(f"/crons/{cron_id}").json
    assert (found["expression"], found["jitter"], found["misfire"]) == ("0 0 9 * * *", 5.0, "run_once")
    assert len(program.get(f"/crons/{cron_id}/instants?count=3").json["items"]) == 3
    [run] = program.get(f"/crons/{cron_id}/occurrences").json["items"]
    assert (run["type"], run["cron_ticker_id"]) == ("cron", str(cron_id))
    nowhere = program.get(f"/crons/{run['id']}/occurrences")
    assert nowhere.status_code == 404
