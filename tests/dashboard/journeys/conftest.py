"""Dashboards over a showcase, for people of two roles."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.dashboard.browsing import logged_in, watched
from tests.dashboard.conftest import BASE, USERS
from tests.dashboard.seeds import Seeds
from tests.dashboard.served import Served, serving

# How long a page may take to show what has changed, in milliseconds: it asks every five seconds.
REFRESHED = 30_000
# By a clock that the test moves: longer than any pause between two refreshes.
A_REFRESH = 80_000
# A tab that refreshes has a timer only once the browser has granted it the lock of such tabs.
HOLDS_THE_LOCK = """async () => {
    const isOurs = (lock) => lock.name.startsWith("tq:");
    for (let left = 5_000; left; left -= 1) if ((await navigator.locks.query()).held.some(isOurs)) return;
    throw new Error("no tab of this page refreshes it");
}"""


@pytest.fixture
def site(seeds: Seeds) -> Iterator[Served]:
    """A dashboard over a showcase of this test alone, whose nodes are alive."""
    with serving(seeds, BASE, USERS) as served:
        served.showcase.beat()
        yield served


def opened(browser: Browser, site: Served, path: str, user: str = "admin") -> tuple[Page, list[str]]:
    """Open a page as a user; return it, and what it complains of from now on."""
    page = logged_in(browser, user=user).new_page()
    complaints = watched(page)
    page.goto(site.base + path)
    return page, complaints


def refresh(page: Page, is_so: Callable[[], bool], *, step: int = A_REFRESH) -> None:
    """Let the page refresh until something is so: the server answers for a second with what it knows.

    Its clock goes on by ``step`` milliseconds at a time.
    """
    for _ in range(60):
        page.clock.run_for(step)
        page.locator("#live:not([aria-busy])").wait_for()
        if is_so():
            return
    raise AssertionError("the page does not become so")
