"""A person looks through a million runs: each page is there, and whole."""

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.dashboard.browsing import logged_in, watched
from tests.dashboard.conftest import BASE, MOST_BYTES, ROWS, USERS
from tests.dashboard.running import running
from tests.integration.apps import ticker_app
from tests.plans.history import BIG, COMMON
from tests.plans.stored import Stored, long_history
from tests.servers.pool import SharedServer
from tickerq_dashboard import create_app

pytestmark = [pytest.mark.proof, pytest.mark.timeout(1800)]
RUNS = 1_000_000
# Of each state before the end.
ACTIVE = 10
# About what a page has by default, in place of which tests give a minute: what takes longer, it says so.
BUDGET = timedelta(seconds=2.1)
UNREAD = re.compile("in time|too much to|could not be read")


@pytest.fixture(scope="module")
def stored(shared_server: Callable[[str], SharedServer]) -> Iterator[Stored]:
    server = shared_server("postgres")
    url = server.new_database()
    with long_history(url, RUNS) as stored:
        stored.set_active(ACTIVE)
        yield stored
    server.drop_database(url)


def ends(page: Page) -> list[datetime]:
    """When the runs of a list ended, from its top."""
    told = page.locator("tbody time[data-v=ago]").evaluate_all("all => all.map((each) => each.dateTime)")
    return [datetime.fromisoformat(each) for each in told]


def runs(page: Page) -> list[str]:
    """The runs of a list, from its top."""
    return page.locator("tbody th a").evaluate_all("all => all.map((each) => each.href.split('?')[0])")


def follow(page: Page, name: str) -> None:
    with page.expect_navigation():
        page.get_by_role("main").get_by_role("link", name=name).click()


@pytest.mark.journey("J27")
def test_beside_a_million_runs_each_page_is_there_and_whole(browser: Browser, stored: Stored) -> None:
    middle = stored.history.middle.replace(second=0)
    with (
        ticker_app(stored.url, BIG, read_budget=BUDGET) as tickerq,
        running(create_app(tickerq, users=USERS)) as [(host, port)],
    ):
        base = f"http://{host}:{port}{BASE}"
        page = logged_in(browser).new_page()
        complaints = watched(page)
        refused: list[str] = []
        page.on("response", lambda each: refused.append(each.url) if each.status >= 400 else None)
        content = page.get_by_role("main")

        page.goto(f"{base}/")
        expect(content).not_to_contain_text(UNREAD)
        expect(content).to_contain_text("OSError")

        answer = page.goto(f"{base}/runs")
        assert answer is not None
        assert len(answer.body()) <= MOST_BYTES
        newest = ends(page)
        assert len(newest) == ROWS
        assert newest == sorted(newest, reverse=True)

        page.get_by_text("Filter", exact=True).click()
        page.get_by_role("textbox", name="Ended before").fill(f"{middle:%Y-%m-%d %H:%M}")
        page.get_by_role("button", name="Show runs").click()
        page.wait_for_url(re.compile("ended_until="))
        assert timedelta() < middle - ends(page)[0] < timedelta(minutes=1)
        walked = [runs(page)]
        for _ in range(3):
            follow(page, "Older")
            walked.append(runs(page))
        assert len({run for each in walked for run in each}) == 4 * ROWS
        for each in reversed(walked[:-1]):
            follow(page, "Newer")
            assert runs(page) == each

        page.get_by_label("Search these runs").fill("status:failed tag:eu")
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile("tag=eu"))
        assert len(runs(page)) == ROWS
        page.goto(f"{base}/runs?error=no+such+text")
        expect(content).to_contain_text("This search is too wide.")
        follow(page, "Search older")
        expect(content).to_contain_text("This search is too wide.")

        page.get_by_label("Find a name or an id").last.fill(COMMON)
        page.keyboard.press("Enter")
        # Thousands of cron tickers have this name, too.
        content.locator(f'a[href$="/functions/{COMMON}"]').first.click()
        page.wait_for_url(re.compile(f"/functions/{COMMON}"))
        expect(content).not_to_contain_text(UNREAD)

        page.goto(f"{base}/errors")
        group = page.get_by_role("row").filter(has_text=COMMON).filter(has_text="OSError")
        group.get_by_role("link", name=re.compile("failed$")).click()
        page.wait_for_url(re.compile("error_type="))
        assert len(runs(page)) == ROWS
        page.context.close()
    assert refused == []
    assert complaints == []
