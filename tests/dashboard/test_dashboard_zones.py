"""Whatever says a time says it in the zone that the reader has chosen, with its name."""

import re
from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from tests.dashboard.conftest import BASE, LOGIN, USERS
from tests.dashboard.page_text import text_of
from tests.dashboard.seeds import Seeds
from tests.dashboard.showcase import Showcase
from tests.inner import Misfire
from tickerq_celery import TickerStatus
from tickerq_celery.tickers.skip_reasons import misfire_reason
from tickerq_dashboard import create_app

# A clock's time that is followed by UTC, or by the offset or the letter for it.
IN_UTC = re.compile(r"\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?: UTC|\+00:00|Z)\b")


@pytest.fixture
def indian(seeds: Seeds) -> FlaskClient:
    client = create_app(seeds.tickerq, users=USERS).test_client()
    client.set_cookie("tq_zone", "Asia/Kolkata")
    return client


def read(client: FlaskClient, path: str) -> str:
    return text_of(client.get(BASE + path, headers=LOGIN).text)


def test_filters_of_a_list_say_moments_in_the_zone(indian: FlaskClient) -> None:
    said = read(indian, "/runs?ended_from=2026-11-20T08:00:00Z")
    assert "2026-11-20 13:30 IST" in said


def test_the_bounds_of_a_cron_ticker_are_said_in_the_zone(indian: FlaskClient, seeds: Seeds) -> None:
    bounds = {"start_at": seeds.now - timedelta(days=9), "end_at": seeds.now + timedelta(days=9)}
    said = read(indian, f"/crons/{seeds.cron(**bounds)}")
    assert "It does not fire before 2026-11-16 02:35:00 IST." in said
    assert "It does not fire after 2026-12-04 02:35:00 IST." in said


def test_a_stored_reason_is_said_in_the_zone(indian: FlaskClient, seeds: Seeds) -> None:
    first, last = seeds.now - timedelta(days=30), seeds.now - timedelta(days=29)
    missed = Misfire(first=first, last=last, count=2, count_is_exact=True)
    reason = misfire_reason(missed, "skip")
    run_id = seeds.run(status=TickerStatus.SKIPPED, skipped_reason=reason)
    words = "2 instants from 2026-10-26 02:35 IST to 2026-10-27 02:35 IST"
    assert words in read(indian, f"/runs/{run_id}")
    assert words in read(indian, "/runs?status=skipped")


def test_no_page_shows_a_moment_of_another_zone(indian: FlaskClient, seeds: Seeds) -> None:
    paths = Showcase(seeds, runs=60).paths
    # Its preview says when a cron ticker fires in its own zone, UTC at first, beside the reader's.
    paths.pop("cron-new")
    wrong = {name: found for name, path in paths.items() if (found := IN_UTC.findall(read(indian, path)))}
    assert wrong == {}


@pytest.mark.parametrize(
    ("typed", "said"), [("kolkata", "Asia/Kolkata"), ("lord howe", "Australia/Lord_Howe"), ("utc", "UTC")]
)
def test_a_zone_may_be_named_by_its_city(seeds: Seeds, typed: str, said: str) -> None:
    client = create_app(seeds.tickerq, users=USERS).test_client()
    assert f"<span>{said}</span>" in client.get(f"{BASE}/nodes?zone={typed}", headers=LOGIN).text


@pytest.mark.parametrize("wrong", ["UTCKolkata", "Mars/Base", "+05:30"])
def test_a_zone_that_does_not_exist_is_refused_and_never_taken_for_utc(seeds: Seeds, wrong: str) -> None:
    client = create_app(seeds.tickerq, users=USERS).test_client()
    asked = client.get(f"{BASE}/nodes", query_string={"zone": wrong}, headers=LOGIN)
    assert (asked.status_code, f"no time zone “{wrong}”" in text_of(asked.text)) == (400, True)
    client.set_cookie("tq_zone", wrong)
    assert f"There is no time zone “{wrong}”: moments are shown in UTC" in read(client, "/nodes")
    assert client.get(f"{BASE}/api/v1/runs?zone={wrong}", headers=LOGIN).status_code == 400
