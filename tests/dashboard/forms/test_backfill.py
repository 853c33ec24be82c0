"""The backfill of a cron ticker: which instants a span has, and then their occurrences, once."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from tests.dashboard.actions.forms import Person
from tests.dashboard.conftest import BASE
from tests.dashboard.hostile import HOSTILE
from tests.dashboard.page_text import text_of
from tests.dashboard.seeds import Seeds
from tickerq_celery import TickerStatus, TickerType
from tickerq_celery.enums import Origin

BEFORE = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = {"start": "2026-03-28T00:00", "end": "2026-03-31T00:00"}


@pytest.fixture
def admin(client: FlaskClient) -> Person:
    return Person(client)


def page_of(seeds: Seeds, **columns: object) -> str:
    given = {"expression": "0 30 2 * * *", "time_zone": "Europe/Berlin", "created_at": BEFORE, **columns}
    return f"/crons/{seeds.cron(next_run_at=BEFORE.replace(year=2099), **given)}"


def send(person: Person, page: str, step: str, **fields: str):
    path = f"{page}/backfill"
    form = {"per_minute": "60", **person.forms(path)[path], **DAYS, "step": step, **fields}
    return person.send(path, form)


def made(seeds: Seeds, page: str) -> list[datetime | None]:
    cron_id = page.rpartition("/")[2]
    return [each.execution_time for each in seeds.tickerq.runs.find(cron_ticker_id=cron_id)]


def test_a_span_is_read_by_the_clocks_of_the_cron_ticker_and_said_before(admin: Person, seeds: Seeds) -> None:
    page = page_of(seeds)
    seen = send(admin, page, "review")
    said = text_of(seen.text)
    assert seen.status_code == 200
    assert "3 instants" in said
    # The clocks of Berlin skip 02:30 on the 29th.
    for words in ("Sat 2026-03-28 02:30 CET", "Sun 2026-03-29 03:00 CEST", "Mon 2026-03-30 02:30 CEST"):
        assert words in said
    assert "over 3 s from now" in said
    assert made(seeds, page) == []
    stored = send(admin, page, "store", reason="the outage of March")
    assert stored.status_code == 303
    assert sorted(filter(None, made(seeds, page))) == [
        datetime(2026, 3, 28, 1, 30, tzinfo=UTC),
        datetime(2026, 3, 29, 1, 0, tzinfo=UTC),
        datetime(2026, 3, 30, 0, 30, tzinfo=UTC),
    ]
    [entry] = seeds.tickerq.audit.find(object_kind="cron_ticker")
    assert (entry.action, entry.actor, entry.reason, entry.count) == (
        "cron_tickers.backfill",
        "ann",
        "the outage of March",
        3,
    )
    assert stored.location == f"{BASE}{page}?did={entry.id}"
    assert "Backfilled 3 occurrences of" in text_of(admin.get(stored.location).text)
    assert "3 occurrences of this span are there already" in text_of(send(admin, page, "review").text)


def test_a_review_counts_as_made_what_is_made_beside_a_misfire_record(admin: Person, seeds: Seeds) -> None:
    page = page_of(seeds)
    first, second = datetime(2026, 3, 28, 1, 30, tzinfo=UTC), datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    skipped = {
        "type": TickerType.CRON_TICKER_OCCURRENCE,
        "cron_ticker_id": UUID(page.rpartition("/")[2]),
        "status": TickerStatus.SKIPPED,
    }
    seeds.run(origin=Origin.MISFIRE, execution_time=first, **skipped)
    seeds.run(origin=Origin.SKIP, execution_time=second, instant=second, **skipped)
    seen = text_of(send(admin, page, "review").text)
    assert "1 occurrence of this span is there already" in seen
    assert "Backfill 2 occurrences" in seen
    send(admin, page, "store")
    [entry] = seeds.tickerq.audit.find(object_kind="cron_ticker")
    assert entry.count == 2
    assert "Backfill 1 occurrence" not in text_of(send(admin, page, "review").text)


@pytest.mark.parametrize(
    ("instant", "made"),
    [
        # Its jitter leads into the span, or out of it.
        (datetime(2026, 3, 27, 1, 30, tzinfo=UTC), 3),
        (datetime(2026, 3, 30, 0, 30, tzinfo=UTC), 2),
    ],
)
def test_a_review_counts_occurrences_by_their_instants_and_not_by_when_they_are_to_run(
    admin: Person, seeds: Seeds, instant: datetime, made: int
) -> None:
    page = page_of(seeds, jitter=timedelta(days=1))
    occurrence = {
        "type": TickerType.CRON_TICKER_OCCURRENCE,
        "cron_ticker_id": UUID(page.rpartition("/")[2]),
        "status": TickerStatus.DONE,
        "origin": Origin.CRON,
    }
    seeds.run(**occurrence, instant=instant, execution_time=instant + timedelta(hours=23))
    seen = text_of(send(admin, page, "review").text)
    assert ("1 occurrence of this span is there already" in seen) is (made == 2)
    assert f"Backfill {made} occurrences" in seen


def test_a_form_that_is_sent_twice_backfills_once(admin: Person, seeds: Seeds) -> None:
    page = page_of(seeds)
    path = f"{page}/backfill"
    form = {**admin.forms(path)[path], **DAYS, "per_minute": "60", "step": "store"}
    first, second = (admin.send(path, form) for _ in range(2))
    assert (first.status_code, first.location) == (second.status_code, second.location)
    assert len(made(seeds, page)) == 3
    again = send(admin, page, "store")
    assert "it was so already" in text_of(admin.get(again.location).text)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"start": ""}, "Write a date and a time."),
        ({"start": "2026-04-01T00:00"}, "This must be before the end."),
        ({"end": "2099-01-01T00:00"}, "Only the past can be backfilled, it is 20"),
        ({"per_minute": "0"}, "1 or more."),
        ({"start": "2026-03-29T02:30"}, "The clocks of Europe/Berlin skip this time."),
        ({"start": "2025-10-26T02:30"}, "Choose one of the two."),
    ],
)
def test_what_is_no_span_is_said_beside_its_field(
    admin: Person, seeds: Seeds, fields: dict[str, str], sentence: str
) -> None:
    page = page_of(seeds)
    refused = send(admin, page, "store", **fields)
    assert refused.status_code == 422
    assert sentence in text_of(refused.text)
    assert made(seeds, page) == []


def test_of_a_time_that_the_clocks_show_twice_one_is_chosen(admin: Person, seeds: Seeds) -> None:
    page = page_of(seeds, expression="0 0 * * * *", created_at=BEFORE.replace(year=2025))
    span = {"start": "2025-10-26T02:00", "end": "2025-10-26T03:00"}
    assert 'name="start_which"' in send(admin, page, "review", **span).text
    assert "2 instants" in text_of(send(admin, page, "review", **span, start_which="first").text)
    assert "1 instant" in text_of(send(admin, page, "review", **span, start_which="second").text)


def test_more_than_the_bound_is_not_offered_and_refused(admin: Person, seeds: Seeds) -> None:
    page = page_of(seeds, expression="0 * * * * *")
    long = {"start": "2026-03-01T00:00", "end": "2026-03-08T00:00"}
    seen = send(admin, page, "review", **long)
    said = "More than 10000 instants from 2026-02-28 23:00:00Z: backfill it in parts."
    assert said in text_of(seen.text)
    assert 'value="store"' not in seen.text
    refused = send(admin, page, "store", **long)
    assert (refused.status_code, "backfill it in parts" in refused.text) == (422, True)
    assert made(seeds, page) == []


def test_one_that_changed_meanwhile_is_not_backfilled(admin: Person, seeds: Seeds) -> None:
    page = page_of(seeds)
    path = f"{page}/backfill"
    form = {**admin.forms(path)[path], **DAYS, "per_minute": "60", "step": "store"}
    seeds.tickerq.cron_tickers.pause(page.rpartition("/")[2], by="ben")
    refused = admin.send(path, form)
    assert refused.status_code == 409
    assert "Not backfilled: it has changed since you saw it, and the cron ticker is paused by ben" in text_of(
        refused.text
    )
    assert made(seeds, page) == []
    assert "It is paused" in text_of(send(admin, page, "review").text)


def test_it_falls_due_at_the_rate_that_was_asked_for(admin: Person, seeds: Seeds) -> None:
    page = page_of(seeds)
    send(admin, page, "store", per_minute="1")
    runs = seeds.tickerq.runs.find(cron_ticker_id=page.rpartition("/")[2])
    due = sorted(each.next_attempt_at for each in runs if each.next_attempt_at)
    assert due[-1] - due[0] == timedelta(minutes=2)
    assert {each.origin for each in runs} == {Origin.BACKFILL}


def test_only_who_may_run_it_is_offered_a_backfill(client: FlaskClient, seeds: Seeds) -> None:
    page = page_of(seeds)
    assert "backfill" in Person(client, "operator").offers(page)
    assert "backfill" not in Person(client, "viewer").offers(page)
    path = f"{page}/backfill"
    form = Person(client).forms(path)[path]
    assert Person(client, "viewer").send(path, {**form, **DAYS, "step": "store"}).status_code == 403


def test_what_the_store_holds_is_only_text_and_an_unknown_zone_is_said(admin: Person, seeds: Seeds) -> None:
    page = page_of(seeds, function=HOSTILE, time_zone=HOSTILE)
    answer = send(admin, page, "review", start="<img/src>")
    assert answer.status_code == 200
    assert "There is no such time zone." in answer.text
    assert "&lt;img/src" in answer.text
    assert "<img/src" not in answer.text


def test_a_schedule_that_cannot_be_read_is_said(admin: Person, seeds: Seeds) -> None:
    page = page_of(seeds, expression="no cron")
    for step, status in (("review", 200), ("store", 422)):
        answer = send(admin, page, step)
        assert (answer.status_code, 'class="note bad"' in answer.text) == (status, True)
