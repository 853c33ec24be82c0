"""Bulk jobs of programs: no more runs than they know of, and than their role may change."""

from typing import Any

import pytest
from flask import Flask

from tests.dashboard.api.conftest import API, Program
from tests.dashboard.seeds import Seeds
from tickerq_celery import TickerStatus
from tickerq_dashboard.show import bulk


def post(program: Program, path: str, body: Any) -> Any:
    return program.send("POST", path, json=body)


def failures(seeds: Seeds, count: int) -> list[str]:
    return [str(seeds.run(status=TickerStatus.FAILED, tags=["eu"])) for _ in range(count)]


def test_a_job_on_what_a_filter_meets_is_started_watched_and_stopped(seeds: Seeds, program: Program) -> None:
    failures(seeds, 3)
    body = {"filter": {"tag": "eu", "status": ["failed"]}, "expected": 3, "reason": "the gateway is back"}
    started = post(program, "/bulk/retry", body)
    assert (started.status_code, started.json["state"]) == (202, "waiting"), started.text
    path = started.headers["Location"].removeprefix(API)
    assert program.get(path).json == started.json
    assert [each["id"] for each in program.get("/bulk").json["items"]] == [started.json["id"]]
    assert (started.json["actor"], started.json["reason"]) == ("admins-program", "the gateway is back")
    assert post(program, f"{path}/stop", {}).json["state"] == "stopped"
    again = post(program, f"{path}/stop", {})
    assert (again.status_code, again.json["detail"]) == (409, "Not stopped: the bulk job is stopped.")


def test_ids_are_named_without_a_number(seeds: Seeds, program: Program) -> None:
    ids = failures(seeds, 2)
    started = post(program, "/bulk/delete", {"ids": ids})
    assert (started.status_code, started.json["total"]) == (202, 2)


def test_more_than_the_program_knows_is_not_begun(seeds: Seeds, program: Program) -> None:
    failures(seeds, 3)
    refused = post(program, "/bulk/retry", {"filter": {"tag": "eu"}, "expected": 2})
    assert (refused.status_code, refused.json["detail"]) == (409, "Not started to retry: there are 3 by now.")
    assert program.get("/bulk").json["items"] == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"ids": []},
        {"filter": {}, "expected": 5},
        {"filter": {"tag": "eu"}},
        {"filter": {"tag": "eu", "tga": "us"}, "expected": 5},
        {"filter": {"tag": "eu", "cursor": "x"}, "expected": 5},
        {"filter": {"routed": ["Send"]}, "expected": 5},
        {"filter": {"tag": "eu", "routed": "Send"}, "expected": 5},
        {"ids": ["00000000-0000-7000-8000-000000000000"], "filter": {"tag": "eu"}, "expected": 1},
    ],
)
def test_what_does_not_say_which_runs_means_none(seeds: Seeds, program: Program, body: Any) -> None:
    failures(seeds, 1)
    assert post(program, "/bulk/delete", body).status_code == 422
    assert program.get("/bulk").json["items"] == []


def test_many_at_once_need_a_permission_of_their_own(
    seeds: Seeds, api_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "LARGE_ABOVE", 1)
    failures(seeds, 2)
    body = {"filter": {"tag": "eu"}, "expected": 2}
    refused = post(Program(api_app, "operator"), "/bulk/retry", body)
    assert refused.status_code == 403
    assert seeds.tickerq.audit.find(outcome="refused")[0].action == "bulk.start"
    assert post(Program(api_app, "admin"), "/bulk/retry", body).status_code == 202
