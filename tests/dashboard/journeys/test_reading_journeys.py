"""A person finds what failed, when something comes, and what an error belongs to."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.dashboard.browsing import logged_in
from tests.dashboard.journeys.conftest import REFRESHED, opened
from tests.dashboard.served import Served
from tests.tables import nodes

pytestmark = pytest.mark.verify


def ids(page: Page) -> list[str]:
    """The runs that a list shows."""
    return page.locator("tbody th a").evaluate_all("all => all.map((each) => each.getAttribute('href'))")


def test_failures_of_a_function_are_filtered_and_the_address_is_the_view(
    browser: Browser, served: Served
) -> None:
    page, complaints = opened(browser, served, "/runs")
    everything = ids(page)
    page.get_by_text("Filter", exact=True).click()
    page.get_by_label("Failed", exact=True).check()
    page.get_by_label("Function", exact=True).fill("billing.cards.charge_card")
    page.get_by_role("button", name="Show runs").click()
    page.wait_for_url(re.compile("status=failed"))
    found, address = ids(page), page.url
    assert 0 < len(found) < len(everything)
    assert str(served.showcase.failed) in " ".join(found)
    page.get_by_label("Search these runs").fill("error:customer")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("customer"))
    page.go_back()
    assert (page.url, ids(page)) == (address, found)
    page.go_forward()
    assert "customer" in page.url
    other = logged_in(browser).new_page()
    other.goto(address)
    assert ids(other) == found
    page.goto(address)
    page.locator(".chip a").first.click()
    page.wait_for_url(lambda url: url != address)
    assert len(ids(page)) >= len(found)
    assert complaints == []
    other.context.close()
    page.context.close()


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


def test_every_time_of_a_page_carries_the_zone_that_a_person_chose(browser: Browser, served: Served) -> None:
    page, complaints = opened(browser, served, f"/runs/{served.showcase.failed}")
    machine = "all => all.map((each) => each.getAttribute('datetime'))"
    instants = page.locator("main .facts time").evaluate_all(machine)
    for zone in ("Asia/Kolkata", "Australia/Lord_Howe"):
        page.locator(".side .foot summary").click()
        page.locator("#zone").fill(zone)
        with page.expect_navigation():
            page.locator(".side .foot").get_by_role("button", name="Show").click()
        expect(page.locator(".side .foot summary")).to_contain_text(zone)
        assert page.locator("main .facts time").evaluate_all(machine) == instants
        titles = page.locator("main time[title]").evaluate_all("all => all.map((each) => each.title)")
        assert titles
        assert not [each for each in titles if each.endswith("UTC")]
    page.goto(f"{served.base}/runs")
    expect(page.locator(".side .foot summary")).to_contain_text("Australia/Lord_Howe")
    assert complaints == []
    page.context.close()


def test_what_comes_is_the_same_in_the_chart_and_in_the_list(browser: Browser, served: Served) -> None:
    page, complaints = opened(browser, served, "/upcoming?hours=6")
    counts = page.get_by_role("table", name="Starts by function").locator("tbody td:last-child")
    starts = sum(int(each.replace(",", "")) for each in counts.all_inner_texts())
    listed = page.get_by_role("table", name="What is to come").locator("tbody tr").count()
    wide = "all => all.every((each) => each.clientWidth > 0.8 * each.parentElement.clientWidth)"
    assert page.locator(".slim svg").evaluate_all(wide)
    title = page.locator("#list-title").inner_text()
    assert listed == starts or (title.startswith("The next") and listed < starts)
    page.get_by_role("navigation", name="How far").get_by_role("link", name="1 h").click()
    page.wait_for_url(re.compile("hours=1$"))
    assert page.get_by_role("table", name="What is to come").locator("tbody tr").count() <= listed
    page.get_by_role("table", name="Starts by function").get_by_role("link").first.click()
    page.wait_for_url(re.compile("function="))
    assert page.get_by_role("table", name="Starts by function").locator("tbody tr").count() == 1
    assert complaints == []
    page.context.close()


def test_a_group_of_errors_leads_to_its_runs_which_are_deleted_together(
    browser: Browser, site: Served
) -> None:
    page, complaints = opened(browser, site, "/errors")
    row = page.locator("tbody tr", has_text="GatewayTimeout").first
    count = int(re.sub(r"\D.*", "", row.locator("td.k-when a").inner_text()))
    row.locator("td.k-when a").click()
    page.wait_for_url(re.compile("error_type=GatewayTimeout"))
    assert len(ids(page)) == count
    for each in page.locator("tbody input[type=checkbox]").all():
        each.check()
    page.get_by_role("button", name="Delete …").click()
    page.wait_for_url(re.compile("/bulk/ask$"))
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Delete {count} runs?")
    typed = page.locator("#typed")
    if typed.count():
        typed.fill(page.locator("label[for=typed] code").inner_text())
    page.get_by_role("button", name=f"Delete {count} runs").click()
    page.get_by_role("status").get_by_text("Started the bulk job").wait_for()
    newest = max(site.showcase.seeds.tickerq.bulk.find(), key=lambda job: job.created_at)
    assert (newest.action, newest.total) == ("delete", count)
    assert complaints == []
    page.context.close()


def test_the_banner_names_what_is_worst_first_and_ends_when_it_is_mended(
    browser: Browser, site: Served
) -> None:
    seeds, old = site.showcase.seeds, timedelta(days=1)
    silent = nodes.update().where(nodes.c.kind == "beat")
    now = seeds.tickerq.core.clock.now()
    seeds.tickerq.core.write(lambda tx: tx.execute(silent.values(seen_at=now - old, ticked_at=now - old)))
    page, _ = opened(browser, site, "/")
    banner = page.get_by_label("Health")
    expect(banner.locator("p").first).to_contain_text("Beat beat-1 is dead")
    lines = banner.locator("p").evaluate_all("all => all.map((each) => each.className)")
    assert lines == sorted(lines, key=["at-failed", "at-warning", "at-unknown", "at-ok"].index)
    expect(banner.get_by_role("link").first).to_be_visible()
    site.showcase.beat()
    expect(banner).not_to_contain_text("beat-1 is dead", timeout=REFRESHED)
    page.context.close()
