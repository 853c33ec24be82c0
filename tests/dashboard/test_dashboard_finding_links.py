"""The link of a finding leads to the list of exactly those runs that it counts."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import pytest
from flask import Flask

from tests.dashboard.conftest import BASE, QUICK_HASH, Visitor
from tests.dashboard.seeds import Seeds
from tests.inner import task_name
from tests.integration.apps import join
from tickerq_celery import TickerStatus, TickerType
from tickerq_celery.enums import NodeKind, Origin
from tickerq_celery.views import Finding, FindingCode, Severity, Subject, SubjectKind
from tickerq_dashboard import create_app
from tickerq_dashboard.rendering import url_for
from tickerq_dashboard.show.places import places_of

NAMES_OF_RUNS = {"runs", "runs_active", "runs_upcoming"}


@pytest.fixture
def app(seeds: Seeds) -> Flask:
    return create_app(seeds.tickerq, users={"admin": (QUICK_HASH, "admin")})


@pytest.fixture
def now(seeds: Seeds) -> datetime:
    seeds.now = datetime.now(UTC)
    return seeds.now


def finding(seeds: Seeds, code: FindingCode) -> Finding:
    return next(each for each in seeds.tickerq.health.report().findings if each.code is code)


def listed_by(app: Flask, visitor: Visitor, found: Finding, among: list[UUID], number: int = 0) -> set[UUID]:
    """The runs in the list that a finding's first link to one leads to, or a later one."""
    place = [each for each in places_of(found) if each.endpoint in NAMES_OF_RUNS][number]
    with app.test_request_context(BASE):
        address = url_for(f".{place.endpoint}", **place.words)
    page = visitor.get(address.removeprefix(BASE)).text
    rows = page.partition("<tbody>")[2].partition("</tbody>")[0]
    return {each for each in among if str(each) in rows}


def test_of_lost_runs(app: Flask, visitor: Visitor, seeds: Seeds, now: datetime) -> None:
    failed, lost = {"status": TickerStatus.FAILED}, {"exception_type": "WorkerLost"}
    runs = [
        seeds.run(**failed, **lost, ended_at=now - timedelta(minutes=90)),
        seeds.run(**failed, **lost, ended_at=now - timedelta(minutes=1)),
        seeds.run(**failed, **lost, ended_at=now - timedelta(days=2)),
        seeds.run(**failed, exception_type="KeyError", ended_at=now - timedelta(minutes=1)),
        seeds.run(status=TickerStatus.CANCELLED, **lost, ended_at=now - timedelta(minutes=1)),
    ]
    found = finding(seeds, FindingCode.LOST_RUNS)
    assert found.text.startswith("2 runs of ")
    assert listed_by(app, visitor, found, runs) == set(runs[:2])


def test_of_what_is_active_and_what_is_due(app: Flask, visitor: Visitor, seeds: Seeds, now: datetime) -> None:
    queued = {"status": TickerStatus.QUEUED, "due_at": None, "published_at": now, "locked_at": now}
    runs = [seeds.run(**queued), seeds.run(due_at=now - timedelta(seconds=5))]
    found = finding(seeds, FindingCode.BACKLOG)
    assert found.text.startswith("no run is overdue; 2 are active: 1 queued and 1 due")
    assert listed_by(app, visitor, found, runs) == {runs[0]}
    assert listed_by(app, visitor, found, runs, 1) == {runs[1]}


def test_of_missed_instants(app: Flask, visitor: Visitor, seeds: Seeds, now: datetime) -> None:
    record = {
        "status": TickerStatus.SKIPPED,
        "type": int(TickerType.CRON_TICKER_OCCURRENCE),
        "cron_ticker_id": seeds.cron(),
        "origin": Origin.MISFIRE.value,
    }
    span = "3 instants from 2026-11-24T09:00:00+00:00 to 2026-11-24T09:02:00+00:00"
    missed = f"Missed: {span} passed while nothing could run them (policy run_once)"
    runs = [
        seeds.run(**record, skipped_reason=missed, ended_at=now - timedelta(minutes=90)),
        seeds.run(**record, skipped_reason=missed, ended_at=now - timedelta(minutes=1)),
        seeds.run(**record, skipped_reason=missed, ended_at=now - timedelta(days=2)),
        seeds.run(**record, skipped_reason=f"Paused: {span} passed in a pause", ended_at=now),
        seeds.run(**{**record, "origin": Origin.CRON.value}, skipped_reason=missed, ended_at=now),
    ]
    found = finding(seeds, FindingCode.MISSED_INSTANTS)
    assert found.text.startswith("6 instants of SendWelcomeEmail")
    assert "the first of 2026-11-24 09:00:00Z, in 2 misfire records" in found.text
    assert listed_by(app, visitor, found, runs) == set(runs[:2])


def test_of_runs_in_a_queue_that_no_worker_consumes(
    app: Flask, visitor: Visitor, seeds: Seeds, now: datetime
) -> None:
    join(seeds.tickerq, NodeKind.WORKER, queues=("pdf",))
    seeds.tickerq.app.conf.task_routes = {task_name("Routed"): {"queue": "slow"}}
    queued = {"status": TickerStatus.QUEUED, "due_at": None, "published_at": now, "locked_at": now}
    due = {"due_at": now - timedelta(seconds=20)}
    runs = [
        seeds.run(**queued, function="Own", queue="slow"),
        seeds.run(**queued, function="Routed"),
        seeds.run(**queued, function="Routed", queue="slow"),
        seeds.run(**due, function="Routed"),
        seeds.run(**due, function="Own", queue="slow"),
        seeds.run(**queued, function="Routed", queue="pdf"),
        seeds.run(**queued, function="Own"),
        seeds.run(**due, function="Own", queue="pdf"),
        seeds.run(function="Routed", execution_time=now + timedelta(hours=1)),
    ]
    report = seeds.tickerq.health.report()
    found = next(each for each in report.findings if each.subject and each.subject.name == "slow")
    assert (found.code, found.functions) == (FindingCode.NO_CONSUMER, ("Routed",))
    assert "5 runs of Own and Routed wait in it (2 due and not published yet)" in found.text
    assert listed_by(app, visitor, found, runs) == set(runs[:3])
    assert listed_by(app, visitor, found, runs, 1) == set(runs[3:5])


def of_queue(*functions: str) -> Finding:
    """A finding of a queue that no worker consumes, with the functions that are routed there."""
    return Finding(
        code=FindingCode.NO_CONSUMER,
        severity=Severity.FAILURE,
        text="No worker consumes slow",
        subject=Subject(kind=SubjectKind.QUEUE, name="slow"),
        functions=functions,
    )


@pytest.mark.parametrize("comma", [", ", "&"])
def test_of_a_queue_with_a_function_whose_name_has_a_comma(
    app: Flask, visitor: Visitor, seeds: Seeds, comma: str
) -> None:
    queued = {"status": TickerStatus.QUEUED, "due_at": None}
    name = f"Bill{comma}send"
    runs = [seeds.run(**queued, function=name), seeds.run(**queued, function="Bill")]
    assert listed_by(app, visitor, of_queue("Other", name), runs) == {runs[0]}


@pytest.mark.parametrize(
    ("functions", "is_named"),
    [
        ([f"F{number}" for number in range(50)], True),
        ([f"F{number}" for number in range(51)], False),
        (["F" * 200, "G" * 200], True),
        ([f"{number:0>200}" for number in range(8)], False),
        (["\N{SNOWMAN}" * 200], False),
    ],
)
def test_of_a_queue_with_more_functions_than_an_address_takes_it_names_none(
    visitor: Visitor, app: Flask, functions: list[str], is_named: bool
) -> None:
    place = places_of(of_queue(*functions))[0]
    assert ("routed" in place.words) == is_named
    with app.test_request_context(BASE):
        address = url_for(f".{place.endpoint}", **place.words)
    assert visitor.get(address.removeprefix(BASE)).status_code == 200


LINK = re.compile(r'<a href="([^"]*)" aria-label="Drop ([^"]*)"')
HIDDEN = re.compile(r'<input type="hidden" name="(?!csrf)([^"]*)" value="([^"]*)">')


def test_routed_is_dropped_with_its_queue_and_kept_by_the_forms(visitor: Visitor) -> None:
    page = visitor.get("/runs/active?queue=slow&routed=A,B&routed=C&tag=eu").text
    assert "or routed there <b>A,B, C</b>" in page
    drops = {name: parse_qsl(urlsplit(unescape(link)).query) for link, name in LINK.findall(page)}
    a_queue, routed, a_tag = ("queue", "slow"), [("routed", "A,B"), ("routed", "C")], ("tag", "eu")
    assert drops == {
        "queue": [a_tag],
        "or routed there": [a_queue, a_tag],
        "tag": [a_queue, *routed],
    }
    search, filters = page.partition('<div class="filters">')[2].split("</form>")[:2]
    assert HIDDEN.findall(search) == [a_queue, *routed, a_tag]
    assert HIDDEN.findall(filters) == routed


@pytest.mark.parametrize(
    ("address", "asked"),
    [
        ("q=tag:eu", [("queue", "slow"), ("routed", "A"), ("routed", "B"), ("tag", "eu")]),
        ("q=queue:slow", [("queue", "slow"), ("routed", "A"), ("routed", "B")]),
        ("q=queue:mail", [("queue", "mail")]),
    ],
)
def test_a_search_keeps_routed_with_the_same_queue_only(
    visitor: Visitor, address: str, asked: list[tuple[str, str]]
) -> None:
    found = visitor.get(f"/runs/active?queue=slow&routed=A&routed=B&{address}")
    assert sorted(parse_qsl(urlsplit(found.headers["Location"]).query)) == asked


def test_routed_without_a_queue_is_no_filter_and_is_not_said(visitor: Visitor, seeds: Seeds) -> None:
    run_id = seeds.run(status=TickerStatus.QUEUED, due_at=None)
    page = visitor.get("/runs/active?routed=Other").text
    assert str(run_id) in page
    assert "routed" not in page
