"""What is to come between two moments, and where several tickers start at once."""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.dashboard.conftest import BASE, Visitor
from tests.dashboard.page_text import text_in, text_of
from tests.dashboard.seeds import Seeds
from tests.statements import outlook_pages
from tickerq_dashboard.pages import upcoming
from tickerq_dashboard.reading import coming

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
    assert ("Nothing was searched" in page.text, "Nothing runs" in page.text) == (True, False)


def test_a_span_that_ends_before_it_begins_is_a_bad_request(visitor: Visitor) -> None:
    assert visitor.get("/upcoming?since=2026-11-25T10:00Z&until=2026-11-25T09:00Z").status_code == 400
    # What was due by then is to come, too.
    assert visitor.get("/upcoming?until=2020-11-25T09:00Z").status_code == 200


def test_an_empty_span_says_which(visitor: Visitor) -> None:
    page = visitor.get("/upcoming?since=2097-11-25T09:00:00Z&until=2097-11-25T10:00:00Z").text
    assert re.search(r"Nothing runs between .*09:00.* and .*10:00", text_of(page))


def test_a_chart_that_does_not_reach_its_end_says_until_when_it_is_whole(
    visitor: Visitor, seeds: Seeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    def chart(function: str) -> str:
        page = visitor.get(f"/upcoming?function={function}").text
        return text_in(page.partition('id="lanes-title"')[2].partition("</header>")[0])

    start = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=2)
    for minutes, function in enumerate(("Often", "Often", "Often", "Seldom")):
        at(seeds, start + timedelta(minutes=minutes), function)
    monkeypatch.setattr(outlook_pages, "MOST_ON_ONE", 2)
    monkeypatch.setattr(coming, "COMING_EACH", 2)
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


def test_what_starts_often_has_one_row_and_hides_nothing_of_the_night(visitor: Visitor, seeds: Seeds) -> None:
    now = datetime.now(UTC).replace(microsecond=0, second=0)
    often = seeds.cron(
        function="Often", expression="*/20 * * * * *", description="the shop", next_run_at=now + DAY / 24
    )
    nightly = seeds.cron(function="Nightly", expression="30 2 * * *", next_run_at=now + DAY / 2)
    page = visitor.get("/upcoming").text
    rows = page.partition('id="list-title"')[2]
    assert (rows.count(str(often)), rows.count(str(nightly))) == (1, 1)
    assert "every 20 s, 4,1" in text_of(page).replace("\u202f", " ")
    assert "in this window · the shop" in text_of(page)
    assert "whole until" not in page
    lanes = page.partition('id="lanes-title"')[2].partition("</section>")[0]
    assert f'href="{BASE}/crons/{often}" tabindex="-1"' in lanes
    assert re.search("<text[^>]*>(\\w{3} )?\\d", lanes)


def test_very_many_cron_tickers_have_pages_on_each_of_which_the_window_is_whole(
    visitor: Visitor, seeds: Seeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coming, "MOST_ON_ONE", 3)
    monkeypatch.setattr(coming, "COMING_EACH", 2)
    now = datetime.now(UTC).replace(microsecond=0)
    made = {
        str(
            seeds.cron(
                function="Often", expression="*/20 * * * * *", next_run_at=now + (60 + each) * DAY / 86_400
            )
        )
        for each in range(6)
    }
    at(seeds, now + DAY / 2, "Noon")
    address, pages = "/upcoming", []
    while address:
        page = visitor.get(address).text
        pages.append(page.partition('id="list-title"')[2])
        [*there] = re.findall(r'<a href="([^"]+)" rel="next"', page)
        address = there[0].replace("&amp;", "&").removeprefix(BASE) if there else ""
        assert "whole until" not in page
        assert "nothing is missing before" not in page
    assert [page.count(" in this window") for page in pages] == [2, 2, 2, 0]
    assert sorted(re.findall(r"/crons/([0-9a-f-]+)", "".join(pages))) == sorted(made)
    assert "4 more cron tickers on the next page" in text_of(f"<main>{pages[0]}")
    assert ("more runs on the next page" in text_of(f"<main>{pages[2]}"), "Noon" in pages[3]) == (True, True)
    assert visitor.get("/upcoming?cursor=forged").status_code == 400


def test_more_rows_than_are_shown_are_a_click_away(
    visitor: Visitor, seeds: Seeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upcoming, "ROWS_SHOWN", 2)
    for hour in (8, 9, 10):
        at(seeds, tomorrow(hour), f"At{hour}")
    page = visitor.get("/upcoming?hours=168").text
    [there] = re.findall(r'and 1 more, <a href="([^"]+)"', page)
    rows = visitor.get(there.replace("&amp;", "&").removeprefix(BASE)).text.partition('id="list-title"')[2]
    assert ("At10" in rows, "At9" in rows) == (True, False)
