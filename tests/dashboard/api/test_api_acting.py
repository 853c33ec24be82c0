"""What programs do: by the commands of the forms, once for each operation, of what they have seen."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask

from tests.dashboard.access.users import SECRET, by_role
from tests.dashboard.api.conftest import API, Program, tokens
from tests.dashboard.seeds import NOW, Seeds
from tickerq_celery import TickerStatus
from tickerq_dashboard import create_app

LATER = NOW.replace(year=2099)
CANARY = "hunter2"


def waiting(seeds: Seeds, **columns: Any) -> UUID:
    return seeds.run(execution_time=LATER, due_at=LATER, **columns)


@pytest.fixture(autouse=True)
def _functions(seeds: Seeds) -> None:
    seeds.tickerq.function("clean_up")(lambda context: None)
    seeds.tickerq.function("greet")(lambda name, times=1: None)


def post(program: Program, path: str, body: Any = None, **headers: str) -> Any:
    return program.send("POST", path, headers, json={} if body is None else body)


def test_a_run_is_retried_in_the_name_of_the_program(seeds: Seeds, program: Program) -> None:
    run_id = seeds.run(status=TickerStatus.FAILED)
    response = post(program, f"/runs/{run_id}/retry", {"reason": "the card is good again"})
    assert (response.status_code, response.json["status"]) == (200, "idle")
    assert response.headers["ETag"] == program.get(f"/runs/{run_id}").headers["ETag"]
    [entry] = seeds.tickerq.audit.find(action="runs.retry")
    assert (entry.actor, entry.role, entry.via) == ("admins-program", "admin", "api")
    assert entry.reason == "the card is good again"


def test_a_chain_is_retried_and_its_rest_cancelled(seeds: Seeds, program: Program) -> None:
    head = seeds.run(status=TickerStatus.FAILED, has_children=True)
    below = seeds.run(held_for="parent", held_since=NOW, parent_id=head, root_id=head, due_at=None)
    retried = post(program, f"/chains/{below}/retry-failed", {"reason": "the bank is back"})
    assert (retried.status_code, retried.json["root_id"], retried.json["changed"]) == (
        200,
        str(head),
        [str(head)],
    )
    [entry] = seeds.tickerq.audit.find(action="chains.retry_failed")
    assert (entry.via, entry.reason) == ("api", "the bank is back")
    seen = retried.headers["ETag"]
    again = post(program, f"/chains/{below}/retry-failed")
    assert (again.status_code, again.json["detail"]) == (
        409, "Not retried: the run is in a chain without a failure.",
    )  # fmt: skip
    cancelled = post(program, f"/chains/{below}/cancel-rest", **{"If-Match": seen})
    assert {each["run"]["status"] for each in cancelled.json["runs"]} == {"cancelled"}
    assert post(program, f"/chains/{below}/cancel-rest", **{"If-Match": seen}).status_code == 412


@pytest.mark.parametrize(
    ("status", "action", "says"),
    [
        (TickerStatus.DONE, "retry", "Not retried: the run is Done since {since} UTC."),
        (TickerStatus.FAILED, "cancel", "Not cancelled: the run is Failed since {since} UTC."),
        (TickerStatus.DONE, "release", "Not released: the run is Done since {since} UTC."),
        (TickerStatus.DONE, "run-now", "Not started ahead of its time: the run is Done since {since} UTC."),
    ],
)
def test_a_refusal_says_how_it_is_at_present(
    seeds: Seeds, program: Program, status: TickerStatus, action: str, says: str
) -> None:
    # A moment of the days before is said by its weekday.
    ended = datetime.now(UTC) - timedelta(days=2)
    response = post(program, f"/runs/{seeds.run(status=status, ended_at=ended)}/{action}")
    assert (response.status_code, response.mimetype) == (409, "application/problem+json")
    assert says.format(since=f"{ended:%a %H:%M}") in response.json["detail"]


def test_a_run_is_scheduled_with_its_chain_and_found_where_it_says(seeds: Seeds, program: Program) -> None:
    body = {
        "function": "greet",
        "request": {"name": "Ada"},
        "execution_time": "2099-01-01T00:00:00Z",
        "retry_intervals": [30, "PT1M"],
        "children": [{"function": "clean_up", "run_condition": "on_failure"}],
    }
    response = post(program, "/runs", body)
    assert (response.status_code, response.json["retry_intervals"]) == (201, [30.0, 60.0])
    location = response.headers["Location"]
    assert location == f"{API}/runs/{response.json['id']}"
    stored = program.get(location.removeprefix(API))
    assert stored.headers["ETag"] == response.headers["ETag"]
    assert program.get(f"/runs/{response.json['id']}/payload").json["payload"] == {"name": "Ada"}
    assert len(program.get(f"/chains/{response.json['id']}").json["runs"]) == 2
    copy = post(program, f"/runs/{response.json['id']}/clone", {"description": "again"})
    assert (copy.status_code, copy.json["description"]) == (201, "again")
    assert copy.json["cloned_from"] == response.json["id"]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "function"),
        ({"function": "nowhere"}, "function"),
        ({"function": "clean_up", "retries": -1}, "retries"),
        ({"function": "clean_up", "colour": CANARY}, "colour"),
        ({"function": "clean_up", "execution_time": CANARY}, "execution_time"),
        ({"function": "clean_up", "queue": f"\0{CANARY}"}, "queue"),
        (
            {"function": "clean_up", "children": [{"function": "clean_up", "retries": CANARY}]},
            "children.0.retries",
        ),
        ({"function": "clean_up", "children": [{"function": "nowhere"}]}, "children.0.function"),
        ({"function": "greet", "request": {"name": "•••"}}, "request"),
        ([], ""),
        (CANARY, ""),
    ],
)
def test_what_cannot_be_stored_is_said_by_its_path(
    seeds: Seeds, program: Program, body: Any, path: str
) -> None:
    response = post(program, "/runs", body)
    assert (response.status_code, response.mimetype) == (422, "application/problem+json")
    assert path in [each["path"] for each in response.json["errors"]]
    assert CANARY not in response.text
    assert seeds.tickerq.runs.counts().scheduled.number == 0


@pytest.mark.parametrize(
    ("data", "mimetype", "status"),
    [
        ("{}", "text/plain", 415),
        ("function=clean_up", "application/x-www-form-urlencoded", 415),
        ("{", "application/json", 422),
        (b"\xff", "application/json", 422),
        ('{"request":' + "[" * 65 + "]" * 65 + "}", "application/json", 422),
        ("[" * 100_000, "application/json", 422),
        (b'"' + b"x" * 270_000 + b'"', "application/json", 413),
    ],
)
def test_only_json_of_some_size_and_depth_is_read(
    program: Program, data: str | bytes, mimetype: str, status: int
) -> None:
    response = program.send("POST", "/runs", data=data, content_type=mimetype)
    assert (response.status_code, response.mimetype) == (status, "application/problem+json")


@pytest.mark.parametrize(("levels", "status"), [(63, 201), (64, 422)])
def test_a_payload_may_be_nested_so_deep(seeds: Seeds, program: Program, levels: int, status: int) -> None:
    def keep(what: Any) -> None: ...

    seeds.tickerq.function("keep")(keep)
    deep = '{"function":"keep","request":' + '{"what":' + "[" * (levels - 1) + "]" * (levels - 1) + "}}"
    response = program.send("POST", "/runs", data=deep, content_type="application/json")
    assert response.status_code == status, response.text


def test_an_action_needs_no_body(seeds: Seeds, program: Program) -> None:
    assert program.send("POST", f"/crons/{seeds.cron()}/pause").json["is_enabled"] is False


def test_a_change_needs_what_was_seen(seeds: Seeds, program: Program) -> None:
    run_id = waiting(seeds, function="clean_up", description="old")
    path, change = f"/runs/{run_id}", {"description": "new"}
    seen = program.get(path)
    unsaid = program.send("PATCH", path, json=change)
    assert (unsaid.status_code, unsaid.mimetype) == (428, "application/problem+json")
    assert program.send("DELETE", path).status_code == 428
    etag = {"If-Match": seen.headers["ETag"]}
    changed = program.send("PATCH", path, etag, json=change)
    assert (changed.status_code, changed.json["description"]) == (200, "new")
    stale = program.send("PATCH", path, etag, json={"description": "newer"})
    assert stale.status_code == 412
    assert "it has changed since you saw it, and the run is Idle" in stale.json["detail"]
    said = program.send("PATCH", path, json={"description": "x", "expected": seen.json["version"]})
    assert said.status_code == 409
    for odd in ('W/"x"', '"a", "b"', "", '"nothing"'):
        assert program.send("PATCH", path, {"If-Match": odd}, json=change).status_code == 412, odd
    assert (
        program.send("PATCH", path, {"If-Match": f'"{changed.json["version"]}"'}, json={}).status_code == 200
    )
    assert program.get(path).json["description"] == "new"
    assert program.send("PATCH", path, {"If-Match": "*"}, json={"description": "any"}).status_code == 200


def test_what_is_deleted_was_seen_and_is_gone(seeds: Seeds, program: Program) -> None:
    for path in (f"/runs/{waiting(seeds)}", f"/crons/{seeds.cron()}"):
        etag = {"If-Match": program.get(path).headers["ETag"]}
        gone = program.send("DELETE", f"{path}?reason=twice", etag)
        assert (gone.status_code, gone.data) == (204, b""), gone.text
        assert program.get(path).status_code == 404
        assert program.send("DELETE", path, etag).status_code == 404
    assert {each.reason for each in seeds.tickerq.audit.find(outcome="done")} == {"twice"}


def test_an_action_heeds_what_was_seen_where_it_is_said(seeds: Seeds, program: Program) -> None:
    cron_id = seeds.cron()
    etag = program.get(f"/crons/{cron_id}").headers["ETag"]
    assert post(program, f"/crons/{cron_id}/pause", None, **{"If-Match": etag}).status_code == 200
    late = post(program, f"/crons/{cron_id}/resume", {"missed": True}, **{"If-Match": etag})
    assert late.status_code == 412
    assert "the cron ticker is paused by admins-program" in late.json["detail"]


def test_a_cron_ticker_is_stored_and_changed_by_what_is_said(seeds: Seeds, program: Program) -> None:
    body = {"function": "clean_up", "expression": "0 9 * * *", "overlap": "skip", "is_enabled": False}
    made = post(program, "/crons", body)
    assert (made.status_code, made.headers["Location"]) == (201, f"{API}/crons/{made.json['id']}")
    path = f"/crons/{made.json['id']}"
    changed = program.send("PATCH", path, {"If-Match": "*"}, json={"expression": "0 10 * * *"})
    said = {name: changed.json[name] for name in ("expression", "overlap", "is_enabled")}
    assert said == {"expression": "0 10 * * *", "overlap": "skip", "is_enabled": False}
    wrong = program.send("PATCH", path, {"If-Match": "*"}, json={"expression": "61 * * * *"})
    assert (wrong.status_code, [each["path"] for each in wrong.json["errors"]]) == (422, ["expression"])
    assert [each["expression"] for each in program.get("/crons").json["items"]] == ["0 10 * * *"]


def test_a_span_of_the_past_is_backfilled(seeds: Seeds, program: Program) -> None:
    cron_id = seeds.cron(function="clean_up", expression="0 0 9 * * *", created_at=NOW - timedelta(days=9))
    span = {"start": "2026-11-20T00:00:00Z", "end": "2026-11-23T00:00:00Z"}
    made = post(program, f"/crons/{cron_id}/backfill", span)
    assert (made.status_code, len(made.json["run_ids"])) == (200, 3), made.text
    assert post(program, f"/crons/{cron_id}/backfill", span).json["run_ids"] == []
    wrong = post(program, f"/crons/{cron_id}/backfill", {**span, "end": "2026-11-19T00:00:00Z"})
    assert wrong.status_code == 422


def test_what_is_done_is_in_the_next_list_and_a_misspelled_field_does_nothing(
    seeds: Seeds, program: Program
) -> None:
    cron_id = seeds.cron()
    assert post(program, f"/crons/{cron_id}/pause", {"raeson": "x"}).status_code == 422
    assert [each["is_enabled"] for each in program.get("/crons").json["items"]] == [True]
    assert post(program, f"/crons/{cron_id}/pause").status_code == 200
    assert [each["is_enabled"] for each in program.get("/crons").json["items"]] == [False]


def test_payloads_are_sent_by_those_who_may(seeds: Seeds, api_app: Flask) -> None:
    fewer = {"operator": ["tickers.create"]}
    app = create_app(seeds.tickerq, auth=by_role, secret=SECRET, api_tokens=tokens(), permissions=fewer)
    without = Program(app, "operator")
    refused = post(without, "/runs", {"function": "greet", "request": {"name": "x"}})
    assert (refused.status_code, refused.mimetype) == (403, "application/problem+json")
    assert seeds.tickerq.audit.find(outcome="refused")[0].action == "time_tickers.add"
    assert post(without, "/runs", {"function": "clean_up"}).status_code == 201
    viewer = Program(api_app, "viewer")
    assert post(viewer, "/runs", {"function": "clean_up"}).status_code == 403
    seeds.tickerq.function("other")(lambda name: None)
    operator = Program(api_app, "operator")
    assert post(operator, "/runs", {"function": "other", "request": {"name": "x"}}).status_code == 201


def test_everything_is_paused_and_resumed(seeds: Seeds, program: Program) -> None:
    paused = post(program, "/pauses/pause", {"kind": "tag", "name": "eu", "reason": "the mail server moves"})
    assert (paused.status_code, paused.json["paused_by"]) == (200, "admins-program")
    [found] = program.get("/pauses").json["items"]
    assert found == paused.json
    assert post(program, "/pauses/resume", {"kind": "tag", "name": "eu"}).status_code == 200
    twice = post(program, "/pauses/resume", {"kind": "tag", "name": "eu"})
    assert (twice.status_code, twice.json["detail"]) == (409, "Not resumed: tag eu is not paused.")
    wrong = post(program, "/pauses/pause", {"kind": "everything", "name": "eu"})
    assert wrong.status_code == 422


def test_an_expression_is_previewed_by_the_scheduler_s_own_code(program: Program) -> None:
    body = {"expression": "30 2 * * *", "time_zone": "America/New_York", "count": 3}
    found = post(program, "/crons/preview", body).json
    assert (found["is_valid"], found["words"], len(found["instants"])) == (True, "At 02:30", 3)
    wrong = post(program, "/crons/preview", {"expression": "61 * * * *"}).json
    assert (wrong["is_valid"], [each["path"] for each in wrong["errors"]]) == (False, ["expression"])
    never = post(program, "/crons/preview", {"expression": "0 0 31 2 *"}).json
    assert never["is_valid"] is False


def test_a_password_writes_only_from_a_page_of_ours(seeds: Seeds, api_app: Flask) -> None:
    client = api_app.test_client()
    path = f"{API}/crons/{seeds.cron()}/pause"
    response = client.post(path, json={}, headers={"X-Role": "admin"})
    assert (response.status_code, response.mimetype) == (403, "application/problem+json")
    assert seeds.tickerq.audit.find(outcome="refused")[0].action == "cron_tickers.pause"


def test_cron_tickers_are_paused_resumed_and_deleted_at_once(seeds: Seeds, program: Program) -> None:
    one, two = seeds.cron(), seeds.cron(is_enabled=False)
    ids = [str(one), str(two), str(uuid4())]
    paused = post(program, "/crons/pause", {"ids": ids, "reason": "a move"})
    assert paused.status_code == 200, paused.text
    assert (paused.json["changed"][0]["id"], paused.json["changed"][0]["is_enabled"]) == (ids[0], False)
    assert {"id": ids[2], "reason": "it is not there"} in paused.json["skipped"]
    seen = {each: program.get(f"/crons/{each}").json["version"] for each in ids[:2]}
    resumed = post(program, "/crons/resume", {"ids": ids[:2], "expected": seen, "missed": True})
    assert {each["is_enabled"] for each in resumed.json["changed"]} == {True}
    started = post(program, "/crons/run-now", {"ids": ids}).json["items"]
    assert {each["cron_ticker_id"] for each in started} == set(ids[:2])
    changed = post(program, "/crons/delete", {"ids": ids[:2], "expected": seen})
    assert (changed.status_code, changed.json["title"]) == (409, "Not deleted")
    assert post(program, "/crons/delete", {"ids": ids}).json == {"deleted": 2}
    assert post(program, "/crons/pause", {"ids": []}).status_code == 422
    assert post(program, "/crons/pause", {"ids": ids[:1], "expected": {ids[1]: "x"}}).status_code == 422
