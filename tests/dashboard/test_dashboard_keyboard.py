"""The pages in a real browser, by the keyboard only."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.dashboard.browsing import logged_in, watched
from tests.dashboard.conftest import BASE, QUICK_HASH
from tests.dashboard.running import running
from tests.dashboard.seeds import Seeds
from tickerq_celery import TickerStatus
from tickerq_dashboard import create_app

pytestmark = pytest.mark.verify
FOCUSED_ROW = (
    "[...document.querySelectorAll('tbody tr')].findIndex((row) => row.contains(document.activeElement))"
)


@pytest.fixture
def page(browser: Browser, seeds: Seeds) -> Iterator[Page]:
    now = seeds.tickerq.core.clock.now()
    for _ in range(5):
        seeds.run(function="mail.send", status=TickerStatus.FAILED, started_at=now, ended_at=now)
    app = create_app(seeds.tickerq, users={"admin": (QUICK_HASH, "admin")})
    with running(app) as [(host, port)]:
        page = logged_in(browser).new_page()
        complaints = watched(page)
        page.goto(f"http://{host}:{port}{BASE}/runs")
        yield page
        assert complaints == []


def presser(page: Page) -> Callable[[str], None]:
    def press(keys: str) -> None:
        for key in keys.split(" "):
            page.keyboard.press(key)

    return press


def test_rows_are_moved_through_ticked_and_acted_upon(page: Page) -> None:
    press = presser(page)
    press("j j")
    assert page.evaluate(FOCUSED_ROW) == 1
    press("k k k")
    assert page.evaluate(FOCUSED_ROW) == 0
    press("x j j X")
    ticked = page.locator(".boxed input:checked")
    assert ticked.count() == 3
    assert page.evaluate(FOCUSED_ROW) == 2
    press("x")
    assert ticked.count() == 2
    press("r")
    page.wait_for_url(re.compile("/bulk/ask$"))
    expect(page.locator("main")).to_contain_text("2 runs")


def test_no_shortcut_takes_a_key_of_the_browser_and_a_sequence_ends(page: Page) -> None:
    press = presser(page)
    # A link that is followed says so at once, and the page that it leads to comes later.
    page.evaluate(
        "navigation.addEventListener('navigate', (event) => { window.left = true; event.preventDefault(); })"
    )
    press("Control+g c")
    assert not page.evaluate("window.left")
    press("g q c")
    assert not page.evaluate("window.left")
    press("g c")
    assert page.evaluate("window.left")


def test_on_a_narrow_page_find_opens_the_menu_that_it_is_in(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.keyboard.press("/")
    expect(page.get_by_label("Find a name or an id").first).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("e")
    page.wait_for_url(re.compile("/errors$"))
