"""A person watches a page that refreshes itself: nothing of theirs is lost, and one tab asks for all."""

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect

from tests.dashboard.browsing import logged_in, watched
from tests.dashboard.conftest import BASE, USERS
from tests.dashboard.refreshing import refresh, stop_clock, wait_for_lead
from tests.dashboard.running import running
from tests.dashboard.seeds import Seeds
from tests.dashboard.served import Served
from tests.servers.ports import free_port
from tickerq_celery import TickerStatus
from tickerq_dashboard import create_app

pytestmark = pytest.mark.verify
SELECTED = "String(getSelection())"
TOP = "node => Math.round(node.getBoundingClientRect().top)"


def refreshing(context: BrowserContext, address: str) -> tuple[Page, list[str]]:
    """Open a page that refreshes itself, and return each of its requests for a refresh."""
    page = context.new_page()
    asked: list[str] = []

    def note(request: Request) -> None:
        if request.resource_type == "fetch":
            asked.append(request.url)

    page.on("request", note)
    page.goto(address)
    return page, asked


def end_one(seeds: Seeds, name: str) -> None:
    """Let a run end just now, so that it stands first in the history."""
    seeds.run(function=name, status=TickerStatus.DONE, ended_at=seeds.tickerq.core.clock.now())


@pytest.mark.journey("J19")
def test_a_selection_and_the_place_on_the_page_outlast_three_refreshes(
    browser: Browser, served: Served
) -> None:
    context = logged_in(browser)
    stop_clock(context)
    page, _ = refreshing(context, served.address("runs-history"))
    complaints = watched(page)
    wait_for_lead(page)
    page.set_viewport_size({"width": 1280, "height": 400})
    address = page.locator(".rows tbody th a").nth(7).get_attribute("href")
    read = page.locator(f'.rows a[href="{address}"]')
    read.locator("b").evaluate("node => getSelection().selectAllChildren(node)")
    page.evaluate("scrollTo(0, 210)")
    selected, top = page.evaluate(SELECTED), read.evaluate(TOP)
    assert page.evaluate("scrollY") > 200
    for name in ("first_new", "second_new", "third_new"):
        end_one(served.showcase.seeds, name)
        refresh(page, lambda name=name: page.get_by_role("link", name=name).count() == 1)
        assert page.evaluate(SELECTED) == selected
        # The browser moves the page by whole pixels, and rows stand at parts of one.
        assert abs(read.evaluate(TOP) - top) <= 3
    assert complaints == []
    context.close()


@pytest.mark.journey("J19")
def test_of_two_tabs_one_asks_and_both_show_it_and_the_other_goes_on_when_it_is_closed(
    browser: Browser, served: Served
) -> None:
    context = logged_in(browser)
    stop_clock(context)
    first, asked_by_first = refreshing(context, served.address("runs-history"))
    wait_for_lead(first)
    second, asked_by_second = refreshing(context, served.address("runs-history"))
    end_one(served.showcase.seeds, "seen_by_both")
    refresh(first, lambda: first.get_by_role("link", name="seen_by_both").count() == 1)
    expect(second.get_by_role("link", name="seen_by_both")).to_be_visible()
    assert asked_by_first
    assert asked_by_second == []
    first.close()
    wait_for_lead(second)
    end_one(served.showcase.seeds, "seen_by_one")
    refresh(second, lambda: second.get_by_role("link", name="seen_by_one").count() == 1)
    assert asked_by_second
    context.close()


@pytest.mark.journey("J19")
def test_a_page_whose_server_is_stopped_says_so_and_recovers_when_it_is_back(
    browser: Browser, seeds: Seeds
) -> None:
    end_one(seeds, "before")
    app = create_app(seeds.tickerq, users=USERS)
    context = logged_in(browser)
    stop_clock(context)
    # Of those that no client is given, so that it stays free while nothing listens there.
    port = free_port()
    with running(app, port=port):
        page, _ = refreshing(context, f"http://127.0.0.1:{port}{BASE}/runs")
        wait_for_lead(page)
    fresh = page.locator("[data-v=fresh]")
    for seconds in (5, 10, 20):
        said = f"could not refresh: trying again in {seconds} s"
        # In steps too short for two tries, as each try changes what is said.
        refresh(page, lambda said=said: said in fresh.inner_text(), step=1_000)
        expect(page.get_by_role("link", name="before")).to_be_visible()
    end_one(seeds, "after")
    with running(app, port=port):
        refresh(page, lambda: page.get_by_role("link", name="after").count() == 1)
        expect(fresh).to_contain_text("updated")
    context.close()
