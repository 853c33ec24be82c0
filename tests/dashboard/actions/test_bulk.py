"""What is done to many runs at once: selected in a list, said with its number, and done by a job."""

import re
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient

from tests.dashboard.actions.forms import Person
from tests.dashboard.actions.many import asked, start, worked
from tests.dashboard.conftest import BASE
from tests.dashboard.page_text import text_of
from tests.dashboard.seeds import NOW, Seeds, settle
from tests.statements import bulk_counts
from tickerq_celery import TickerStatus, TickerType
from tickerq_celery.enums import Origin
from tickerq_dashboard.actions import bulk as bulk_actions
from tickerq_dashboard.show import bulk as bulk_shown

LATER = NOW.replace(year=2099)


def failed(seeds: Seeds, count: int = 1, **columns: object) -> list[UUID]:
    return [seeds.run(status=TickerStatus.FAILED, **columns) for _ in range(count)]


def test_what_is_ticked_is_retried_and_the_rest_is_not(admin: Person, seeds: Seeds) -> None:
    one, two, other = failed(seeds, 3)
    done = seeds.run(status=TickerStatus.DONE)
    page = admin.get("/runs").text
    assert page.count('name="ids"') == 4
    answer = asked(admin, "/runs", "retry", ids=[one, two, done])
    said = text_of(answer.text)
    assert "Retry 3 runs?" in said
    assert "the runs that you ticked" in said
    started = start(admin, answer, "retry", reason="the gateway is back")
    assert started.status_code == 303
    [job] = seeds.tickerq.bulk.find()
    assert (job.actor, job.reason, job.total) == ("ann", "the gateway is back", 3)
    [entry] = seeds.tickerq.audit.find(object_kind="bulk_job")
    assert (entry.action, entry.role, entry.via) == ("bulk.start", "admin", "dashboard")
    assert started.location == f"{BASE}/bulk/{job.id}?did={entry.id}"
    shown = text_of(admin.get(started.location).text)
    assert "Started the bulk job" in shown
    assert "It waits for beat" in shown
    worked(seeds)
    assert [seeds.tickerq.runs.get(each).status for each in (one, two, other)] == [
        TickerStatus.IDLE,
        TickerStatus.IDLE,
        TickerStatus.FAILED,
    ]
    admin.get(f"/bulk/{job.id}?did={uuid4()}")
    shown = admin.get(f"/bulk/{job.id}").text
    assert "is Done: it cannot be retried" in shown
    assert f'href="{BASE}/runs/{done}"' in shown
    assert "Retry runs" in text_of(admin.get("/bulk").text)


def test_all_that_match_are_those_of_the_filter_as_the_list_was(admin: Person, seeds: Seeds) -> None:
    meant = failed(seeds, 3, function="Send", tags=["eu"])
    failed(seeds, 2, function="Other", tags=["eu"])
    answer = asked(admin, "/runs?function=Send&tag=eu", "delete")
    assert "These are all runs that have ended: function Send, tag eu." in text_of(answer.text)
    assert "Delete 3 runs?" in answer.text
    now = datetime.now(UTC)
    newer = seeds.run(function="Send", tags=["eu"], status=TickerStatus.FAILED, created_at=now, ended_at=now)
    start(admin, answer, "delete")
    worked(seeds)
    left = {each.id for each in seeds.tickerq.runs.find(function="Send")}
    assert left == {newer}
    assert len(meant) == 3
    assert len(list(seeds.tickerq.runs.find(function="Other"))) == 2


def test_all_that_match_a_queue_are_those_that_are_routed_there_too(admin: Person, seeds: Seeds) -> None:
    failed(seeds, 1, function="Send", queue="slow")
    failed(seeds, 1, function="Bill, send")
    failed(seeds, 1, function="Count")
    other = failed(seeds, 1, function="Bill")[0]
    answer = asked(admin, "/runs?queue=slow&routed=Bill,+send&routed=Count", "delete")
    said = "These are all runs that have ended: queue slow, or routed there Bill, send, Count."
    assert said in text_of(answer.text)
    start(admin, answer, "delete")
    worked(seeds)
    assert [each.id for each in seeds.tickerq.runs.find()] == [other]


def test_a_selection_without_a_queue_is_not_said_to_be_of_what_is_routed_there(
    admin: Person, seeds: Seeds
) -> None:
    failed(seeds, 2)
    form = {**admin.forms("/runs")["/bulk/ask"], "filter": "routed=Other", "action": "delete", "all": "1"}
    answer = admin.client.post(f"{BASE}/bulk/ask", data=form, headers={"X-Role": admin.role})
    assert "Delete 2 runs?" in answer.text
    assert "routed" not in text_of(answer.text)


@pytest.mark.parametrize(
    ("page", "action", "touched"),
    [
        ("/runs", "delete", {"done", "failed", "published"}),
        ("/runs?status=done", "delete", {"done"}),
        ("/runs?status=done,failed", "delete", {"done", "failed"}),
        ("/runs?status=published", "delete", {"published"}),
        ("/runs", "retry", {"failed"}),
        ("/runs/upcoming", "delete", {"scheduled"}),
        ("/runs/upcoming", "cancel", {"scheduled"}),
        ("/runs/active", "cancel", {"held", "queued"}),
        ("/runs/active?held_for=paused", "cancel", {"held"}),
    ],
)
def test_all_of_a_list_are_the_runs_of_that_list_and_of_no_other(
    admin: Person, seeds: Seeds, page: str, action: str, touched: set[str]
) -> None:
    ids = {
        "done": seeds.run(status=TickerStatus.DONE),
        "failed": seeds.run(status=TickerStatus.FAILED),
        "published": seeds.run(status=TickerStatus.DONE, kind="celery_task"),
        "scheduled": seeds.run(execution_time=LATER, due_at=LATER),
        "held": seeds.run(held_for="paused", hold_key="tag:eu"),
        "queued": seeds.run(status=TickerStatus.QUEUED, claim_no=1),
    }
    answer = asked(admin, page, action)
    assert f"{len(touched)} run" in text_of(answer.text).partition("?")[0]
    before = {each.id: each.version for each in seeds.tickerq.runs.find()}
    assert start(admin, answer, action).status_code == 303
    worked(seeds)
    after = {each.id: each.version for each in seeds.tickerq.runs.find()}
    assert {name for name, each in ids.items() if after.get(each) != before[each]} == touched


def test_a_record_of_missed_instants_is_not_among_what_is_retried(admin: Person, seeds: Seeds) -> None:
    skipped = {"status": TickerStatus.SKIPPED, "type": TickerType.CRON_TICKER_OCCURRENCE}
    record = seeds.run(cron_ticker_id=seeds.cron(), origin=Origin.MISFIRE, **skipped)
    page = "/runs?status=skipped"
    refused = asked(admin, page, "retry")
    assert refused.status_code == 409
    assert "retry" not in admin.offers(f"/runs/{record}")
    seeds.run(status=TickerStatus.SKIPPED)
    answer = asked(admin, page, "retry")
    said = text_of(answer.text)
    assert "Retry 1 run?" in said
    assert "so are records of missed instants" in said
    job = start(admin, answer, "retry")
    assert "a record of missed instants" in text_of(admin.get(job.location).text)
    worked(seeds)
    [done] = seeds.tickerq.bulk.find()
    assert (done.changed, done.skipped) == (1, 0)


def test_records_of_missed_instants_that_are_ticked_are_left_out_of_a_retry_and_it_says_so(
    admin: Person, seeds: Seeds
) -> None:
    skipped = {"status": TickerStatus.SKIPPED, "type": TickerType.CRON_TICKER_OCCURRENCE}
    records = [seeds.run(cron_ticker_id=seeds.cron(), origin=Origin.MISFIRE, **skipped) for _ in range(2)]
    run = seeds.run(status=TickerStatus.SKIPPED)
    ids = ticked(admin, "/runs", [run, *records])
    assert (ids["ids"], sorted(ids["records"])) == ([str(run)], sorted(map(str, records)))
    answer = admin.send("/bulk/ask", {**ids, "action": "retry"})
    said = text_of(answer.text)
    assert "Retry 1 run?" in said
    assert "These are the runs that you ticked, without 2 records of missed instants." in said
    job = start(admin, answer, "retry")
    worked(seeds)
    [done] = seeds.tickerq.bulk.find()
    assert job.status_code == 303
    assert (done.changed, done.skipped) == (1, 0)
    assert admin.send("/bulk/ask", {**ids, "ids": [], "action": "retry"}).status_code == 409
    deleted = text_of(admin.send("/bulk/ask", {**ids, "action": "delete"}).text)
    assert "Delete 3 runs?" in deleted
    assert "These are the runs that you ticked." in deleted


def ticked(person: Person, page: str, runs: list[UUID]) -> dict[str, Any]:
    """What the form of a list sends with the boxes of some runs ticked."""
    boxes = re.findall(r'<input type="checkbox" name="(\w+)" value="([^"]+)"', person.get(page).text)
    form: dict[str, Any] = dict(person.forms(page)["/bulk/ask"])
    for name, value in boxes:
        if value in set(map(str, runs)):
            form.setdefault(name, []).append(value)
    return form


def test_a_form_that_is_sent_twice_starts_one_job(admin: Person, seeds: Seeds) -> None:
    failed(seeds, 2)
    answer = asked(admin, "/runs", "retry")
    first = start(admin, answer, "retry")
    worked(seeds)
    second = start(admin, answer, "retry")
    assert (first.status_code, first.location) == (303, second.location)
    assert len(list(seeds.tickerq.bulk.find())) == 1


def test_above_a_hundred_the_number_is_typed(
    admin: Person, seeds: Seeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_actions, "TYPED_ABOVE", 2)
    failed(seeds, 3)
    answer = asked(admin, "/runs?status=failed", "retry")
    assert "Type 3 to go on" in text_of(answer.text)
    for typed in ("", "4"):
        refused = start(admin, answer, "retry", typed=typed)
        assert (refused.status_code, "Type 3 as it stands here." in refused.text) == (422, True)
    assert list(seeds.tickerq.bulk.find()) == []
    assert start(admin, answer, "retry", typed="3").status_code == 303


def test_more_than_was_said_is_asked_anew(admin: Person, seeds: Seeds) -> None:
    failed(seeds, 1)
    answer = asked(admin, "/runs?status=failed", "retry")
    failed(seeds, 1)
    refused = start(admin, answer, "retry")
    assert (refused.status_code, "By now there are 2." in refused.text) == (422, True)
    assert list(seeds.tickerq.bulk.find()) == []


def test_more_than_a_thousand_are_for_an_admin(
    client: FlaskClient, seeds: Seeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed(seeds, 3)
    operator = Person(client, "operator")
    answer = asked(operator, "/runs", "retry")
    monkeypatch.setattr(bulk_shown, "LARGE_ABOVE", 2)
    for refused in (asked(operator, "/runs", "retry"), start(operator, answer, "retry")):
        assert refused.status_code == 403
        assert "3 runs match, and your role may do so to 2 at once" in text_of(refused.text)
    [entry] = seeds.tickerq.audit.find(outcome="refused")
    assert (entry.action, entry.error) == ("bulk.start", "needs the permission bulk.large")
    assert list(seeds.tickerq.bulk.find()) == []
    assert start(Person(client), asked(Person(client), "/runs", "retry"), "retry").status_code == 303


def test_what_may_be_more_than_was_counted_is_for_an_admin_and_said_to_be(
    client: FlaskClient, seeds: Seeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed(seeds, 2, tags=["eu"])
    failed(seeds, 2)
    monkeypatch.setattr(bulk_counts, "MOST_COUNTED", 3)
    answer = asked(Person(client), "/runs?tag=eu", "retry")
    counted = int(seeds.tickerq.bulk.count("retry", tag="eu"))
    assert counted in {1, 2}
    assert f"Retry {counted}+ runs?" in text_of(answer.text)
    assert asked(Person(client, "operator"), "/runs?tag=eu", "retry").status_code == 403
    assert start(Person(client), answer, "retry").status_code == 303
    form: dict[str, object] = dict(Person(client).forms("/runs")["/bulk/ask"])
    none_found = {**form, "action": "retry", "all": "1", "filter": "tag=gone"}
    refused = client.post(f"{BASE}/bulk/ask", data=none_found, headers={"X-Role": "admin"})
    assert (refused.status_code, "these are too many to count" in refused.text) == (422, True)


def test_nothing_ticked_and_nothing_that_matches_is_said(admin: Person, seeds: Seeds) -> None:
    seeds.run(status=TickerStatus.DONE)
    refused = asked(admin, "/runs", "retry", ids=[])
    assert (refused.status_code, "Not started to retry: no run is ticked." in refused.text) == (422, True)
    refused = asked(admin, "/runs", "retry")
    assert (refused.status_code, "no run matches to which that can be done" in refused.text) == (409, True)


@pytest.mark.parametrize(
    ("listing", "filter_"),
    [("history", "status=idle"), ("upcoming", "status=done"), ("active", "status=failed")],
)
def test_a_filter_that_its_list_never_meets_means_no_run(
    admin: Person, seeds: Seeds, listing: str, filter_: str
) -> None:
    ids = [seeds.run(), seeds.run(status=TickerStatus.DONE), *failed(seeds)]
    answer = asked(admin, "/runs", "delete")
    wrong = {"listing": listing, "filter": filter_, "shown": "9"}
    refused = start(admin, answer, "delete", **wrong)
    assert (refused.status_code, "no run matches" in refused.text) == (409, True)
    assert list(seeds.tickerq.bulk.find()) == []
    assert len(list(seeds.tickerq.runs.find())) == len(ids)


@pytest.mark.parametrize(
    ("role", "offers"), [("viewer", set()), ("operator", {"retry"}), ("admin", {"retry", "delete"})]
)
def test_a_list_offers_what_the_role_may_do(
    client: FlaskClient, seeds: Seeds, role: str, offers: set[str]
) -> None:
    [run_id] = failed(seeds)
    page = Person(client, role).get("/runs").text
    assert {
        each for each in ("retry", "delete", "cancel") if f'name="action" value="{each}"' in page
    } == offers
    assert ('name="ids"' in page) is bool(offers)
    answer = asked(Person(client), "/runs", "delete", ids=[run_id])
    form = dict(Person(client).forms("/runs")["/bulk/ask"])
    sent = {**form, "action": "delete", "ids": str(run_id)}
    expected = 200 if "delete" in offers else 403
    assert Person(client, role).send("/bulk/ask", sent).status_code == expected
    assert start(Person(client, role), answer, "delete").status_code == (303 if expected == 200 else 403)


def test_a_job_is_stopped_and_says_so_when_it_has_ended(admin: Person, seeds: Seeds) -> None:
    job = seeds.tickerq.bulk.start("retry", ids=failed(seeds, 2), by="ben")
    path = f"/bulk/{job.id}"
    form = admin.forms(path)[f"{path}/stop"]
    stopped = admin.send(f"{path}/stop", {**form, "reason": "the wrong ones"})
    assert stopped.status_code == 303
    assert seeds.tickerq.bulk.get(job.id).state == "stopped"
    assert "Stopped the bulk job" in admin.get(stopped.location).text
    assert f"{path}/stop" not in admin.forms(path)
    refused = admin.send(f"{path}/stop", {"csrf_token": form["csrf_token"]})
    assert refused.status_code == 409
    assert "Not stopped: the bulk job is stopped." in text_of(refused.text)
    assert "Last: ann, Stop bulk job" in text_of(refused.text)
    assert admin.send(f"/bulk/{uuid4()}/stop", {"csrf_token": form["csrf_token"]}).status_code == 404
    assert admin.get(f"/bulk/{uuid4()}").status_code == 404


def test_a_selection_that_is_none_is_refused(admin: Person, seeds: Seeds) -> None:
    failed(seeds)
    form = dict(admin.forms("/runs")["/bulk/ask"])
    for wrong in (
        {"action": "explode"},
        {"action": "retry", "ids": "x"},
        {"action": "retry", "as_of": "now"},
    ):
        assert admin.send("/bulk/ask", {**form, **wrong}).status_code == 422
    wrong = {"action": "retry", "all": "1", "filter": "status=exploded"}
    assert admin.send("/bulk/ask", {**form, **wrong}).status_code == 400


def test_a_list_whose_rows_stay_needs_no_new_page_for_its_moment(admin: Person, seeds: Seeds) -> None:
    failed(seeds)
    admin.get("/runs")
    settle()
    headers = {"X-Role": "admin", "If-None-Match": admin.get("/runs").headers["ETag"]}
    assert admin.client.get(f"{BASE}/runs", headers=headers).status_code == 304
