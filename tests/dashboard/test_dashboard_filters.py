"""What the lists of runs can be asked for, and how it is typed."""

import html
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from tests.dashboard.conftest import BASE, Visitor
from tests.dashboard.page_text import text_of
from tests.dashboard.seeds import Seeds
from tickerq_celery import TickerPriority, TickerStatus
from tickerq_dashboard.reading import reader
from tickerq_dashboard.show.moments import Clock, zone_named
from tickerq_dashboard.texts import Unreadable
from tickerq_dashboard.typed_moments import coming_moment, past_moment

NOW = datetime(2026, 11, 24, 21, 5, tzinfo=UTC)
PARENT = UUID("01a21851-b870-7145-b709-e9a3c2359e6e")
FORM = re.compile(r'<details class="more">.*?<form[^>]*>(.*?)</form>', re.DOTALL)


def clock_in(zone: str, now: datetime = NOW) -> Clock:
    place, name = zone_named(zone)
    return Clock(now=now, zone=place, name=name)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2 h", datetime(2026, 11, 24, 19, 5, tzinfo=UTC)),
        (" 1 d 30 min ", datetime(2026, 11, 23, 20, 35, tzinfo=UTC)),
        ("21:30", datetime(2026, 11, 24, 20, 30, tzinfo=UTC)),
        ("9:00", datetime(2026, 11, 24, 8, 0, tzinfo=UTC)),
        ("23:15:30", datetime(2026, 11, 23, 22, 15, 30, tzinfo=UTC)),
        ("2026-11-24", datetime(2026, 11, 23, 23, 0, tzinfo=UTC)),
        ("2026-07-01 14:30", datetime(2026, 7, 1, 12, 30, tzinfo=UTC)),
        ("2026-10-25 02:30", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("2026-11-24T09:00:00Z", datetime(2026, 11, 24, 9, 0, tzinfo=UTC)),
        ("2026-11-24 14:30:00+05:30", datetime(2026, 11, 24, 9, 0, tzinfo=UTC)),
    ],
)
def test_a_moment_of_the_past_is_read_as_people_say_it(text: str, moment: datetime) -> None:
    assert past_moment(text, clock_in("Europe/Berlin")) == moment


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2 h", datetime(2026, 11, 24, 23, 5, tzinfo=UTC)),
        ("21:30", datetime(2026, 11, 25, 20, 30, tzinfo=UTC)),
        ("23:15:30", datetime(2026, 11, 24, 22, 15, 30, tzinfo=UTC)),
        ("2026-11-26 02:30", datetime(2026, 11, 26, 1, 30, tzinfo=UTC)),
        ("2026-11-24T09:00:00Z", datetime(2026, 11, 24, 9, 0, tzinfo=UTC)),
    ],
)
def test_a_moment_to_come_is_read_as_people_say_it(text: str, moment: datetime) -> None:
    assert coming_moment(text, clock_in("Europe/Berlin")) == moment


@pytest.mark.parametrize(
    "text", ["", "soon", "25:00", "2026-13-01", "9" * 40 + " d", "0001-01-01T00:00:00Z", "2026-03-29 02:30"]
)
def test_what_is_no_moment_is_unreadable(text: str) -> None:
    for read in (past_moment, coming_moment):
        with pytest.raises(Unreadable):
            read(text, clock_in("Europe/Berlin"))


def test_a_moment_is_typed_by_the_reader_s_clocks_and_becomes_a_filter(
    visitor: Visitor, client: FlaskClient
) -> None:
    client.set_cookie("tq_zone", "Asia/Kolkata")

    def asked(address: str) -> Mapping[str, str]:
        return dict(parse_qsl(urlsplit(visitor.get(address).headers["Location"]).query))

    before = datetime.now(UTC).replace(microsecond=0)
    ago = datetime.fromisoformat(asked("/runs?from_text=2+h&status=failed")["ended_from"])
    assert timedelta(0) <= ago - (before - timedelta(hours=2)) < timedelta(minutes=1)
    assert asked("/runs?until_text=2026-11-24+14:30&status=failed&min_elapsed=1+min+30+s") == {
        "ended_until": "2026-11-24T09:00:00Z",
        "status": "failed",
        "min_elapsed": "90",
    }
    assert asked('/runs?q=ended_from:"2026-11-24+14:30"+origin:manual') == {
        "ended_from": "2026-11-24T09:00:00Z",
        "origin": "manual",
    }


def test_the_form_of_filters_keeps_those_that_it_has_no_field_for(
    visitor: Visitor, client: FlaskClient
) -> None:
    client.set_cookie("tq_zone", "Asia/Kolkata")
    cron = "01a21851-b870-7145-b709-e9a3c2359e6e"
    words = f"ended_until=2026-11-24T09:00:00Z&cron_ticker_id={cron}&min_elapsed=90&is_late=0&priority=high"
    found = FORM.search(visitor.get(f"/runs?{words}").text)
    assert found is not None
    assert 'name="until_text" value="2026-11-24 14:30:00+05:30"' in found[1]
    assert 'name="min_elapsed" value="1 min 30 s"' in found[1]
    assert f'name="cron_ticker_id" value="{cron}"' in found[1]
    assert '<option value="0" selected>' in found[1]
    assert 'name="priority" value="high"' in found[1]


@pytest.mark.parametrize("path", ["/runs", "/runs/active", "/runs/upcoming"])
def test_the_form_of_filters_has_fields_for_both_keys(visitor: Visitor, path: str) -> None:
    found = FORM.search(visitor.get(f"{path}?concurrency_key=tenant-7&unique_key=once").text)
    assert found is not None
    assert 'Concurrency key<input class="field" name="concurrency_key" value="tenant-7">' in found[1]
    assert 'Unique key<input class="field" name="unique_key" value="once">' in found[1]
    assert found[1].count('name="concurrency_key"') == found[1].count('name="unique_key"') == 1


@pytest.mark.parametrize("field", ["from_text=soon", "until_text=25:00", "q=ended_from:soon"])
def test_a_moment_that_means_nothing_is_said_and_stays_in_its_field(visitor: Visitor, field: str) -> None:
    response = visitor.get(f"/runs?{field}&tag=eu")
    assert response.status_code == 422
    assert re.search(r'id="complaint" class="bad">Ended (since|before): Write ', response.text)
    assert f'value="{field.partition("=")[2]}"' in response.text


def test_what_made_runs_is_said_in_words(visitor: Visitor) -> None:
    page = text_of(visitor.get("/runs?origin=misfire").text)
    assert "made by a record of missed instants" in page
    assert "made by a call in an outbox" in text_of(visitor.get("/runs?origin=outbox").text)


@pytest.mark.parametrize(
    "query",
    [
        "origin=manual", "unique_key=u", "concurrency_key=k", "min_attempts=2", "min_elapsed=90",
        "min_elapsed=1+min", "min_elapsed=PT1M", "priority=high", "is_late=1", f"parent_id={PARENT}",
        "kind=celery_task", "task_id=of-it", "execution_from=2099-01-01T00:00:00Z",
    ],
)  # fmt: skip
def test_each_filter_finds_what_it_says_and_nothing_else(visitor: Visitor, seeds: Seeds, query: str) -> None:
    seeds.run(id=PARENT, function="Lion", status=TickerStatus.DONE, elapsed=timedelta(seconds=1))
    wanted = seeds.run(
        function="Zebra",
        status=TickerStatus.DONE,
        origin="manual",
        unique_key="u",
        concurrency_key="k",
        elapsed=timedelta(minutes=2),
        priority=int(TickerPriority.HIGH),
        is_late=True,
        parent_id=PARENT,
        kind="celery_task",
        task_id="of-it",
        started_at=NOW,
        execution_time=NOW.replace(year=2099),
    )
    for number in range(2):
        seeds.attempt(wanted, number=number)
    page = text_of(visitor.get(f"/runs?{query}").text)
    assert "Zebra" in page
    assert "Lion" not in page


@pytest.mark.parametrize(
    "query",
    [
        "origin=luck", "min_attempts=0", "min_attempts=two", "min_elapsed=soon", "min_elapsed=-1", "kind=job",
        "priority=urgent", "is_late=perhaps", "parent_id=it", f"concurrency_key={'k' * 91}",
    ],
)  # fmt: skip
def test_a_filter_that_means_nothing_is_a_bad_request(visitor: Visitor, query: str) -> None:
    assert visitor.get(f"/runs?{query}").status_code == 400


@pytest.mark.parametrize(
    ("query", "why", "found"),
    [
        ("", "Most runs of the store are of other namespaces.", "found none of this one"),
        ("status=failed", "This search is too wide.", "found none of these"),
    ],
)
def test_a_list_that_ends_early_names_the_store_and_why(
    visitor: Visitor, seeds: Seeds, monkeypatch: pytest.MonkeyPatch, query: str, why: str, found: str
) -> None:
    ended = {"status": TickerStatus.FAILED, "function": "Send"}
    seeds.run(ended_at=NOW, **ended)
    for minutes in range(1, 6):
        seeds.run(namespace="elsewhere", ended_at=NOW + timedelta(minutes=minutes), **ended)
    monkeypatch.setattr(reader, "MOST_SEARCHED", 4)
    page = visitor.get(f"/runs?{query}")
    assert f"{why} The list read 4 runs of the store back to" in text_of(page.text)
    assert found in text_of(page.text)
    [older] = re.findall(r'href="([^"]+)">Search older', page.text)
    assert "Send" in text_of(visitor.get(html.unescape(older).removeprefix(BASE)).text)


def test_a_list_that_was_not_read_to_its_end_is_not_said_to_have_none(
    visitor: Visitor, seeds: Seeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    for minutes in range(6):
        seeds.run(ended_at=NOW + timedelta(minutes=minutes), status=TickerStatus.DONE)
    said = "Upcoming has none, History has none"
    assert said in text_of(visitor.get("/runs/active?tag=gone").text)
    monkeypatch.setattr(reader, "MOST_SEARCHED", 4)
    shown = text_of(visitor.get("/runs/active?tag=rare").text)
    assert ("Upcoming has none" in shown, "History has" in shown) == (True, False)


def test_a_run_that_waits_for_a_slot_of_its_key_is_listed_by_the_hold_key_that_is_shown(
    visitor: Visitor, seeds: Seeds
) -> None:
    for key in ("smtp", "ftp"):
        held = {"held_for": "key", "hold_key": f"Send\x1f{key}", "held_since": NOW, "due_at": None}
        seeds.run(function="Send", concurrency_key=key, **held)
    shown = "a free slot of its key: Send:{}".format
    assert shown("ftp") in text_of(visitor.get("/runs/active").text)
    found = text_of(visitor.get("/runs/active?hold_key=Send:smtp").text)
    assert (shown("smtp") in found, shown("ftp") in found) == (True, False)


def test_a_function_is_found_by_how_its_name_begins_unless_it_is_one(visitor: Visitor, seeds: Seeds) -> None:
    for name in ("billing.charge", "billing.charge_all"):
        seeds.run(function=name, status=TickerStatus.DONE, ended_at=NOW)
    seeds.cron(function="SendDailyDigest")

    def led_to(typed: str) -> Mapping[str, str]:
        return dict(parse_qsl(urlsplit(visitor.get(f"/runs?q={typed}").location).query))

    assert led_to("function:billing") == {"function_prefix": "billing"}
    assert led_to("function:SendDailyDigest tag:eu") == {"function": "SendDailyDigest", "tag": "eu"}
    page = visitor.get("/runs?function=billing").text
    [begins] = re.findall(r'href="([^"]+)">Functions that begin with', page)
    assert "charge_all" in visitor.get(html.unescape(begins).removeprefix(BASE)).text


def test_a_filter_that_means_nothing_is_named_with_what_it_takes(visitor: Visitor) -> None:
    refused = visitor.get(visitor.get("/runs?q=status:nope").location.removeprefix(BASE))
    assert refused.status_code == 400
    assert "status : a status does not exist; there are idle, " in text_of(refused.text)
