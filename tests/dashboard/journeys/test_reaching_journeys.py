"""A person finds by mouse what runs tonight, chooses a zone, and reaches what a search finds far back."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, expect

from tests.dashboard.browsing import logged_in
from tests.dashboard.conftest import BASE, USERS
from tests.dashboard.journeys.conftest import opened
from tests.dashboard.seeds import NOW, Seeds
from tests.dashboard.served import Served, serving
from tickerq_celery import TickerStatus

pytestmark = pytest.mark.verify
MINUTE = timedelta(minutes=1)


@pytest.fixture
def shop(seeds: Seeds) -> Iterator[Served]:
    """A dashboard over a cron ticker that fires every 20 s, and one at night."""
    with serving(seeds, BASE, USERS) as served:
        yield served


@pytest.mark.journey("J13")
def test_by_mouse_another_zone_is_typed_over_the_one_that_is_there_and_a_wrong_one_is_refused(
    browser: Browser, served: Served
) -> None:
    page, _ = opened(browser, served, "/nodes")
    zone, show = (
        page.locator(".side .foot summary"),
        page.locator(".side .foot").get_by_role("button", name="Show"),
    )
    zone.click()
    page.locator("#zone").click()
    page.keyboard.type("Kolkata")
    assert page.locator("#zone").input_value() == "Kolkata"
    with page.expect_navigation():
        show.click()
    expect(zone).to_contain_text("Asia/Kolkata")
    zone.click()
    page.locator("#zone").click()
    page.keyboard.type("Mars/Base")
    show.click()
    expect(page.locator("#zone:invalid")).to_have_count(1)
    assert "no such time zone" in page.locator("#zone").evaluate("field => field.validationMessage")
    page.reload()
    expect(zone).to_contain_text("Asia/Kolkata")
    page.context.close()


@pytest.mark.journey("J14")
def test_by_mouse_what_runs_tonight_is_found_whatever_runs_all_the_time(
    browser: Browser, shop: Served, seeds: Seeds
) -> None:
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    night = now + timedelta(hours=11)
    often = seeds.cron(function="shop.poll", expression="*/20 * * * * *", next_run_at=now + MINUTE)
    expression = f"{night.minute} {night.hour} * * *"
    nightly = seeds.cron(function="books.close", expression=expression, next_run_at=night)
    page, complaints = opened(browser, shop, "/upcoming")
    listed = page.get_by_role("table", name="What is to come").locator("tbody tr")
    expect(listed.filter(has_text="poll")).to_have_count(1)
    expect(listed.filter(has_text="poll")).to_contain_text(re.compile("every 20.s, 4,3"))
    expect(listed.filter(has_text="close")).to_have_count(1)
    axis = page.locator(".lanes thead text")
    assert axis.count() >= 6
    lane = page.locator(".lanes tbody tr").filter(has_text="close")
    lane.locator("svg a").click()
    page.wait_for_url(re.compile(f"/crons/{nightly}"))
    page.go_back()
    page.locator(".lanes tbody tr").filter(has_text="poll").locator("svg a").click()
    page.wait_for_url(re.compile(f"/crons/{often}"))
    page.go_back()
    page.get_by_label("What runs between").fill(f"{night - timedelta(hours=1):%H:%M}")
    page.get_by_label("and", exact=True).fill(f"{night + timedelta(hours=5):%H:%M}")
    page.get_by_role("button", name="Show", exact=True).last.click()
    page.wait_for_url(re.compile("since="))
    expect(listed.filter(has_text="close")).to_have_count(1)
    expect(page.locator("#lanes-title + .cap")).not_to_contain_text("whole until")
    assert complaints == []
    page.context.close()


def test_by_mouse_a_search_finds_at_once_what_lies_thousands_of_runs_back(
    browser: Browser, shop: Served, seeds: Seeds
) -> None:
    wanted = seeds.run(function="far.away", status=TickerStatus.DONE, ended_at=NOW, tags=["audit-7"])
    done = {"function": "daily", "status": TickerStatus.DONE}
    seeds.runs({**done, "ended_at": NOW + (number + 1) * MINUTE} for number in range(2_500))
    page, complaints = opened(browser, shop, "/runs")
    box = page.get_by_label("Search these runs")
    box.click()
    page.keyboard.type("tag:audit-7")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("tag=audit-7"))
    expect(page.locator("tbody th a")).to_have_attribute("href", re.compile(str(wanted)))
    assert complaints == []
    page.context.close()


@pytest.mark.journey("J20")
def test_without_script_a_function_is_found_by_how_its_name_begins(
    browser: Browser, shop: Served, seeds: Seeds
) -> None:
    seeds.run(function="invoices.cards.charge", status=TickerStatus.FAILED, ended_at=NOW)
    context = logged_in(browser, script=False)
    page = context.new_page()
    page.goto(f"{shop.base}/runs")
    page.get_by_label("Search these runs").fill("function:invoices")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("function_prefix=invoices"))
    expect(page.locator(".chip").filter(has_text="function begins")).to_have_count(1)
    expect(page.locator("tbody th a")).to_have_count(1)
    context.close()


def test_after_a_click_the_focus_is_on_the_new_pages_head_and_nothing_has_scrolled(
    browser: Browser, served: Served
) -> None:
    page, complaints = opened(browser, served, "/runs")
    assert page.evaluate("document.activeElement === document.body")
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Cron tickers").click()
    page.wait_for_url(re.compile("/crons$"))
    head = "document.activeElement.tagName + ' ' + document.activeElement.textContent + ' ' + scrollY"
    page.wait_for_function("document.activeElement.tagName === 'H1'")
    assert page.evaluate(head) == "H1 Cron tickers 0"
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")
    assert complaints == []
    page.context.close()
