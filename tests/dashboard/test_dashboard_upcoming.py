"""What is to come between two moments, and where several tickers start at once."""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.dashboard.conftest import BASE, Visitor
from tests.dashboard.page_text import text_in, text_of
from tests.dashboard.seeds import Seeds

DAY = timedelta(days=1)


def at(seeds: Seeds, moment: datetime, function: str) -> None:
    seeds.run(execution_time=moment, due_at=moment, function=function)


def tomorrow(hour: int, minute: int = 0) -> datetime:
    return (datetime.now(UTC) + DAY).replace(hour=hour, minute=minute, second=0, microsecond=0)


def test_what_runs_between_two_moments_is_shown_and_nothing_else(visitor: Visitor, seeds: Seeds) -> None:
    for hour, function in ((8, "Before"), (9, "Within"), (12, "Behind")):
        at(seeds, tomorrow(hour), function)
    typed = f"from_text={tomorrow(9):%Y-%m-%d %H:%M}&until_text={tomorrow(12):%Y-%m-%d %H:%M}"
    led = visitor.get(f"/upcoming?{typed}")
    assert led.status_code == 302
    given = parse_qs(urlsplit(led.location).query)
    assert (given["since"], given["until"]) == (
        [f"{tomorrow(9):%Y-%m-%dT%H:%M:%SZ}"],
        [f"{tomorrow(12):%Y-%m-%dT%H:%M:%SZ}"],
    )
    page = visitor.get(led.location.removeprefix(BASE)).text
    assert "Within" in page
    assert "Before" not in page
    assert "Behind" not in page
    assert f'value="{tomorrow(9):%Y-%m-%d %H:%M}' in page
    only_until = visitor.get(f"/upcoming?until={tomorrow(9):%Y-%m-%dT%H:%M:%SZ}").text
    assert "Before" in only_until
    assert "Within" not in only_until


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("from_text=soon", "From: Write in how long"),
        ("from_text=3 h&until_text=2 h", "To: write a moment that is later"),
        ("until_text=2020-01-01", "To: write a moment that is later"),
    ],
)
def test_what_is_no_span_is_said_beside_the_fields(visitor: Visitor, typed: str, says: str) -> None:
    page = visitor.get(f"/upcoming?{typed}")
    assert (page.status_code, says in text_of(page.text)) == (422, True)
    assert ("Nothing was searched" in page.text, "Nothing is to run" in page.text) == (True, False)


def test_a_span_that_ends_before_it_begins_is_a_bad_request(visitor: Visitor) -> None:
    assert visitor.get("/upcoming?since=2026-11-25T10:00Z&until=2026-11-25T09:00Z").status_code == 400
    # What was due by then is to come, too.
    assert visitor.get("/upcoming?until=2020-11-25T09:00Z").status_code == 200


def test_an_empty_span_says_which(visitor: Visitor) -> None:
    page = visitor.get("/upcoming?since=2097-11-25T09:00:00Z&until=2097-11-25T10:00:00Z").text
    assert re.search(r"Nothing is to run between .*09:00.* and .*10:00", text_of(page))


def test_a_chart_that_does_not_reach_its_end_says_until_when_it_is_whole(
    visitor: Visitor, seeds: Seeds
) -> None:
    def chart(function: str) -> str:
        page = visitor.get(f"/upcoming?function={function}").text
        return text_in(page.partition('id="lanes-title"')[2].partition("</header>")[0])

    start = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=2)
    for function, expression in (("Often", "* * * * * *"), ("Seldom", "0 0 * * * *")):
        seeds.cron(function=function, expression=expression, next_run_at=start)
    # A start each second: the thousand of the page.
    found = seeds.tickerq.outlook.upcoming(function="Often", limit=1_000, budget=1)
    assert found.truncated is not None
    assert re.search(r" UTC , whole until (\w+ )?\d\d:\d\d(:\d\d)? UTC : later starts", chart("Often"))
    assert "whole" not in chart("Seldom")


def test_minutes_in_which_several_tickers_start_are_named_and_lead_to_them(
    visitor: Visitor, seeds: Seeds
) -> None:
    for function in ("Send", "Send", "Report"):
        at(seeds, tomorrow(9) + timedelta(seconds=20), function)
    at(seeds, tomorrow(10), "Alone")
    page = visitor.get("/upcoming?hours=168").text
    table = page.partition('id="collisions-title"')[2].partition("</table>")[0]
    assert "Send × 2, Report" in text_of(f"<main>{table}")
    assert "Alone" not in table
    [minute] = re.findall(r'href="([^"]+)"', table)
    there = visitor.get(minute.replace("&amp;", "&").removeprefix(BASE)).text
    assert "Alone" not in there
    assert there.count("Report") > 1
    seeds.cron(next_run_at=tomorrow(11))
    assert "collisions-title" not in visitor.get("/upcoming?hours=168&function=Alone").text
