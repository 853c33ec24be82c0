"""A person finds what failed, when something comes, and what an error belongs to."""

import re
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.dashboard.actions.many import worked
from tests.dashboard.browsing import logged_in, watched
from tests.dashboard.conftest import BASE, USERS
from tests.dashboard.journeys.conftest import opened
from tests.dashboard.running import running
from tests.dashboard.seeds import Seeds
from tests.dashboard.served import Served
from tickerq_celery import TickerStatus
from tickerq_dashboard import create_app
from tickerq_dashboard.pages import upcoming

pytestmark = pytest.mark.verify
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def ids(page: Page) -> list[str]:
    """The runs that a list shows."""
    hrefs = page.locator("tbody th a").evaluate_all("all => all.map((each) => each.href)")
    return [each.rpartition("/")[2].partition("?")[0] for each in hrefs]


@pytest.mark.journey("J4", "J20")
@pytest.mark.parametrize("script", [True, False])
def test_yesterdays_failures_of_a_function_are_filtered_and_the_address_is_the_view(
    browser: Browser, seeds: Seeds, *, script: bool
) -> None:
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    yesterday = today - DAY
    charge = {"function": "billing.cards.charge", "status": TickerStatus.FAILED}
    wanted = {
        str(seeds.run(**charge, ended_at=yesterday + hour * HOUR, exception_message=f"customer {hour}"))
        for hour in (1, 12, 23)
    }
    others = (
        {"ended_at": today + HOUR / 60},
        {"ended_at": yesterday - HOUR},
        {"ended_at": yesterday + HOUR, "function": "billing.cards.refund"},
        {"ended_at": yesterday + HOUR, "status": TickerStatus.DONE},
    )
    everything = wanted | {str(seeds.run(**charge | each)) for each in others}
    with running(create_app(seeds.tickerq, users=USERS)) as [(host, port)]:
        base = f"http://{host}:{port}{BASE}"
        page = logged_in(browser, script=script).new_page()
        complaints = watched(page)
        page.goto(f"{base}/runs")
        assert set(ids(page)) == everything
        page.get_by_text("Filter", exact=True).click()
        page.get_by_label("Failed", exact=True).check()
        page.get_by_label("Function", exact=True).fill("billing.cards.charge")
        page.get_by_role("textbox", name="Ended since").fill(f"{yesterday:%Y-%m-%d} 00:00")
        page.get_by_role("textbox", name="Ended before").fill(f"{today:%Y-%m-%d} 00:00")
        page.get_by_role("button", name="Show runs").click()
        page.wait_for_url(re.compile("ended_until="))
        address = page.url
        assert set(ids(page)) == wanted
        page.get_by_label("Search these runs").fill('error:"customer 12"')
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile("customer"))
        assert len(ids(page)) == 1
        page.go_back()
        assert (page.url, set(ids(page))) == (address, wanted)
        page.go_forward()
        assert len(ids(page)) == 1
        other = logged_in(browser, script=script).new_page()
        other.goto(address)
        assert (other.url, set(ids(other))) == (address, wanted)
        other.context.close()
        page.goto(address)
        chips = page.get_by_role("main").get_by_role("link", name=re.compile("^Drop "))
        assert chips.count() == 4
        while chips.count():
            before = set(ids(page))
            with page.expect_navigation():
                chips.first.click()
            assert before <= set(ids(page))
        assert set(ids(page)) == everything
        assert complaints == []
        page.context.close()


@pytest.mark.journey("J4")
def test_a_range_of_times_that_is_typed_finds_what_ended_in_it(browser: Browser, served: Served) -> None:
    page, complaints = opened(browser, served, "/runs")
    page.get_by_text("Filter", exact=True).click()
    page.get_by_role("textbox", name="Ended since").fill("6 h")
    page.get_by_role("textbox", name="Ended before").fill("1 h")
    page.get_by_role("button", name="Show runs").click()
    page.wait_for_url(re.compile("ended_from="))
    ends = page.locator("tbody time[data-v=ago]").evaluate_all("all => all.map((each) => each.dateTime)")
    now = datetime.now(UTC)
    ago = [now - datetime.fromisoformat(each) for each in ends]
    assert ago
    assert timedelta(hours=1) <= min(ago)
    assert max(ago) <= timedelta(hours=6, minutes=1)
    everything, address = len(ids(page)), page.url
    page.reload()
    assert (page.url, len(ids(page))) == (address, everything)
    page.get_by_text("Filter", exact=True).click()
    page.get_by_role("textbox", name="Ended since").fill("the day before")
    page.get_by_role("button", name="Show runs").click()
    expect(page.locator("#complaint")).to_be_visible()
    assert [each for each in complaints if "422" not in each and "400" not in each] == []
    page.context.close()


@pytest.mark.journey("J13")
def test_every_time_of_a_page_carries_the_zone_that_a_person_chose(browser: Browser, served: Served) -> None:
    page, complaints = opened(browser, served, f"/runs/{served.showcase.failed}")
    machine = "all => all.map((each) => each.getAttribute('datetime'))"
    instants = page.locator("main .facts time").evaluate_all(machine)
    assert instants
    for zone, as_named in (("Asia/Kolkata", "IST"), ("Australia/Lord_Howe", r"\+1[01](30)?")):
        page.locator(".side .foot summary").click()
        page.locator("#zone").fill(zone)
        with page.expect_navigation():
            page.locator(".side .foot").get_by_role("button", name="Show").click()
        expect(page.locator(".side .foot summary")).to_contain_text(zone)
        assert page.locator("main .facts time").evaluate_all(machine) == instants
        titles = page.locator("main time[title]").evaluate_all("all => all.map((each) => each.title)")
        assert titles
        assert [each for each in titles if not re.search(f" {as_named}$", each)] == []
    page.goto(f"{served.base}/runs")
    expect(page.locator(".side .foot summary")).to_contain_text("Australia/Lord_Howe")
    assert complaints == []
    page.context.close()


@pytest.mark.journey("J13")
def test_what_the_clocks_show_twice_is_told_apart_on_the_day_that_they_go_back(
    browser: Browser, seeds: Seeds
) -> None:
    # On Lord Howe they go back half an hour, at 15:00 UTC.
    ends = [datetime(2026, 4, 4, hour, minute, tzinfo=UTC) for hour, minute in ((14, 45), (15, 15))]
    runs = [seeds.run(status=TickerStatus.DONE, started_at=end, ended_at=end) for end in ends]
    with running(create_app(seeds.tickerq, users=USERS)) as [(host, port)]:
        base = f"http://{host}:{port}{BASE}"
        page = logged_in(browser).new_page()
        page.goto(f"{base}/settings")
        choose(page, "Australia/Lord_Howe")
        said = []
        for run_id, end in zip(runs, ends, strict=True):
            page.goto(f"{base}/runs/{run_id}")
            ended = page.get_by_role("definition").locator("time").filter(has_text="01:45").first
            assert datetime.fromisoformat(str(ended.get_attribute("datetime"))) == end
            said.append(ended.get_attribute("title"))
        page.context.close()
    assert [each.rpartition(" ")[2] for each in said] == ["+11", "+1030"]


def choose(page: Page, zone: str) -> None:
    """Choose the zone of the pages."""
    own = page.get_by_role("banner")
    own.get_by_text("UTC").first.click()
    own.get_by_label("Time zone of the pages").fill(zone)
    with page.expect_navigation():
        own.get_by_role("button", name="Show").click()


@pytest.mark.journey("J14")
def test_what_comes_in_a_day_is_counted_alike_in_the_chart_and_on_the_pages_of_its_list(
    browser: Browser, seeds: Seeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upcoming, "ROWS_SHOWN", 5)
    now = seeds.tickerq.core.clock.now().replace(microsecond=0)
    names = {"mail.send": 9, "books.close": 4}
    starts = [name for name, count in names.items() for _ in range(count)]
    # The last is not in the window.
    for name, hours in zip([*starts, "mail.send"], [*range(1, len(starts) + 1), 25], strict=True):
        moment = now + hours * HOUR
        seeds.run(function=name, execution_time=moment, due_at=moment)
    with running(create_app(seeds.tickerq, users=USERS)) as [(host, port)]:
        page = logged_in(browser).new_page()
        complaints = watched(page)
        page.goto(f"http://{host}:{port}{BASE}/upcoming?hours=24")
        lanes = page.get_by_role("table", name="Starts by function").locator("tbody tr")
        drawn = {name: lanes.filter(has_text=name.partition(".")[2]).locator("td").last for name in names}
        assert {name: int(cell.inner_text()) for name, cell in drawn.items()} == names
        rows = page.get_by_role("table", name="What is to come").locator("tbody tr")
        expect(rows).to_have_count(5)
        shown = Counter(row_names(rows))
        for left in (8, 3):
            expect(page.get_by_role("main")).to_contain_text(f"and {left} more")
            with page.expect_navigation():
                page.get_by_role("main").get_by_role("link", name=re.compile("^from ")).click()
            shown.update(row_names(rows))
        assert shown == {name.partition(".")[2]: count for name, count in names.items()}
        assert complaints == []
        page.context.close()


def row_names(rows: Locator) -> list[str]:
    """The last part of the function's name of each row."""
    return rows.locator("a b").all_inner_texts()


@pytest.mark.journey("J14")
def test_what_comes_is_the_same_in_the_chart_and_in_the_list(browser: Browser, served: Served) -> None:
    page, complaints = opened(browser, served, "/upcoming?hours=6")
    counts = page.get_by_role("table", name="Starts by function").locator("tbody td:last-child")
    starts = sum(int(each.replace(",", "")) for each in counts.all_inner_texts())
    rows = page.get_by_role("table", name="What is to come").locator("tbody tr")
    listed = rows.count()
    wide = "all => all.every((each) => each.clientWidth > 0.8 * each.parentElement.clientWidth)"
    assert page.locator(".slim svg").evaluate_all(wide)
    bands = [
        int(each.replace(",", ""))
        for each in re.findall(r"([\d,]+) in this window", " ".join(rows.all_inner_texts()))
    ]
    assert len(bands) > 0
    # What is held or skipped is listed, and does not start.
    assert starts <= listed - len(bands) + sum(bands)
    page.get_by_role("navigation", name="How far").get_by_role("link", name="1 h").click()
    page.wait_for_url(re.compile("hours=1$"))
    expect(page.locator("#lanes-title + .cap")).to_contain_text("from now to")
    page.get_by_role("table", name="Starts by function").get_by_role("link").first.click()
    page.wait_for_url(re.compile("function="))
    assert page.get_by_role("table", name="Starts by function").locator("tbody tr").count() == 1
    assert complaints == []
    page.context.close()


@pytest.mark.journey("J16")
def test_a_group_of_errors_leads_to_its_runs_which_are_deleted_together(
    browser: Browser, seeds: Seeds
) -> None:
    now = seeds.tickerq.core.clock.now()
    failed = {"status": TickerStatus.FAILED, "function": "billing.charge", "ended_at": now}
    of_group = seeds.runs({**failed, "exception_type": "GatewayTimeout"} for _ in range(4))
    other = seeds.run(**failed, exception_type="KeyError")
    with running(create_app(seeds.tickerq, users=USERS)) as [(host, port)]:
        page = logged_in(browser).new_page()
        complaints = watched(page)
        page.goto(f"http://{host}:{port}{BASE}/errors")
        row = page.get_by_role("row").filter(has_text="GatewayTimeout")
        row.get_by_role("link", name="4 failed").click()
        page.wait_for_url(re.compile("error_type=GatewayTimeout"))
        assert set(ids(page)) == set(map(str, of_group))
        for each in page.get_by_role("table").get_by_role("checkbox").all():
            each.check()
        page.get_by_role("button", name="Delete …").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Delete 4 runs?")
        page.get_by_role("button", name="Delete 4 runs").click()
        page.get_by_role("status").get_by_text("Started the bulk job").wait_for()
        worked(seeds)
        page.goto("about:blank")
    # Another process has not kept the page of some seconds ago.
    with running(create_app(seeds.tickerq, users=USERS)) as [(host, port)]:
        page.goto(f"http://{host}:{port}{BASE}/errors")
        expect(page.get_by_role("row").filter(has_text="KeyError")).to_have_count(1)
        expect(row).to_have_count(0)
        assert complaints == []
        page.context.close()
    [job] = seeds.tickerq.bulk.find()
    assert (job.action, job.total, job.changed, job.skipped) == ("delete", 4, 4, 0)
    assert [each.id for each in seeds.tickerq.runs.history()] == [other]
