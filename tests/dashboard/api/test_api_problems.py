"""Errors as programs read them: problem details, with the field and without what was sent."""

import re
from uuid import uuid4

import pytest
from flask import Flask

from tests.dashboard.access.users import as_role
from tests.dashboard.api.conftest import API, Program, bearer
from tests.dashboard.conftest import BASE
from tests.dashboard.seeds import Seeds
from tickerq_celery.errors import QueryTooWideError, StoreError
from tickerq_dashboard.api.routes import API_ROUTES

CANARY = "hunter2"
FIELDS = {"type", "title", "status", "detail", "request_id", "errors"}


@pytest.mark.parametrize(
    ("path", "field"),
    [
        (f"/runs?status={CANARY}", "status"),
        (f"/runs?ended_from={CANARY}", "ended_from"),
        (f"/runs?cron_ticker_id={CANARY}", "cron_ticker_id"),
        (f"/runs?function=%00{CANARY}", "function"),
        ("/runs?limit=201", "limit"),
        ("/runs?limit=0", "limit"),
        ("/runs?stauts=failed", "stauts"),
        ("/runs?q=mail", "q"),
        ("/runs?tag=eu&tag=us", "tag"),
        ("/nodes?limit=1", "limit"),
        (f"/errors?window={CANARY}", "window"),
        (f"/crons?state={CANARY}", "state"),
    ],
)
def test_a_filter_that_means_nothing_is_named(program: Program, path: str, field: str) -> None:
    response = program.get(path)
    assert (response.status_code, response.mimetype) == (400, "application/problem+json")
    assert set(response.json) == FIELDS
    assert [each["path"] for each in response.json["errors"]] == [field]
    assert CANARY not in response.text
    # Pydantic says which character it found.
    assert "found" not in response.text
    assert response.json["request_id"] == response.headers["X-Request-Id"]


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/nowhere",
        "/runs/1",
        "/runs/00000000-0000-7000-8000-000000000000",
        "/runs/00000000-0000-7000-8000-000000000000/payload",
        "/crons/00000000-0000-7000-8000-000000000000",
        "/functions/nothing",
        "/runs/",
        "//runs",
    ],
)
def test_what_is_not_there_is_a_problem_not_a_page(program: Program, path: str) -> None:
    response = program.get(path)
    assert response.status_code == 404
    if path:
        assert response.mimetype == "application/problem+json"
        assert response.json["status"] == 404


def test_a_stranger_is_answered_by_a_problem_too(api_app: Flask) -> None:
    client = api_app.test_client()
    for headers in ({}, bearer("nobody"), {"Authorization": "Basic ???"}):
        for path in ("/runs", "/nowhere", "/openapi.json"):
            response = client.get(API + path, headers=headers)
            assert (response.status_code, response.mimetype) == (401, "application/problem+json")
            assert "WWW-Authenticate" in response.headers
    page = client.get(f"{BASE}/runs")
    assert (page.status_code, page.mimetype) == (401, "text/plain")


def test_a_wrong_method_says_which_are_right(program: Program) -> None:
    response = program.send("PUT", "/nodes")
    assert (response.status_code, response.mimetype) == (405, "application/problem+json")
    assert response.headers["Allow"] == "GET, HEAD, OPTIONS"


def test_an_address_that_is_only_sent_to_says_so_to_one_who_looks(program: Program) -> None:
    only_sent_to = [each for each in API_ROUTES if each.method == "POST"]
    looked_at = {each.path for each in API_ROUTES if each.method == "GET"}
    for route in only_sent_to:
        if route.path in looked_at:
            continue
        address = re.sub("<uuid:[a-z_]+>", str(uuid4()), route.path)
        response = program.get(address.removeprefix("/api/v1"))
        assert (response.status_code, response.mimetype) == (405, "application/problem+json"), address
        assert response.headers["Allow"] == "OPTIONS, POST"
    assert program.get("/payload").status_code == 404


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (StoreError(f"{CANARY} at 10.0.0.1"), 503),
        (QueryTooWideError(2.0), 503),
        (LookupError(CANARY), 500),
    ],
)
def test_a_failure_tells_no_cause(
    program: Program, seeds: Seeds, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
) -> None:
    def failing(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(type(seeds.tickerq.runs), "history", failing)
    response = program.get("/runs")
    assert (response.status_code, response.mimetype) == (status, "application/problem+json")
    assert CANARY not in response.text
    assert "Traceback" not in response.text


def test_a_page_named_like_the_api_stays_a_page(program: Program, api_app: Flask) -> None:
    client = api_app.test_client()
    response = client.get(f"{BASE}/functions/x/api/v1/y", headers={"X-Role": "viewer"})
    assert (response.status_code, response.mimetype) == (404, "text/html")


def test_a_log_in_that_would_change_something_is_answered_by_what_a_program_needs(
    api_app: Flask, seeds: Seeds
) -> None:
    client = api_app.test_client()
    response = client.post(f"{API}/runs", headers=as_role("admin"), json={"function": "Send"})
    assert (response.status_code, response.mimetype) == (403, "application/problem+json")
    assert response.json["title"] == "This needs a program's token"
    assert "Authorization: Bearer" in response.json["detail"]
    assert len(seeds.tickerq.runs.upcoming()) == 0
