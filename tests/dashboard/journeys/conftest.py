"""Dashboards over a showcase, for people of two roles."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.dashboard.browsing import logged_in, watched
from tests.dashboard.conftest import BASE, USERS
from tests.dashboard.seeds import Seeds
from tests.dashboard.served import Served, serving

# How long a page may take to show what has changed, in milliseconds: it asks every five seconds.
REFRESHED = 30_000


@pytest.fixture
def site(seeds: Seeds) -> Iterator[Served]:
    """A dashboard over a showcase of this test alone, whose nodes are alive."""
    with serving(seeds, BASE, USERS) as served:
        served.showcase.beat()
        yield served


def opened(
    browser: Browser, site: Served, path: str, user: str = "admin", *, script: bool = True
) -> tuple[Page, list[str]]:
    """Open a page as a user; return it, and what it complains of from now on."""
    page = logged_in(browser, user=user, script=script).new_page()
    complaints = watched(page)
    page.goto(site.base + path)
    return page, complaints
