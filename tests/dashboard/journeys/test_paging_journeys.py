"""A person walks through ten thousand runs and back, while others end."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from playwright.sync_api import Browser, Page
from sqlalchemy import Engine, event

from tests.dashboard.browsing import logged_in
from tests.dashboard.conftest import BASE, USERS
from tests.dashboard.running import running
from tests.dashboard.seeds import Seeds
from tickerq_celery import TickerStatus
from tickerq_dashboard import create_app

pytestmark = pytest.mark.verify
RUNS, PAGE, EVERY = 10_000, 200, 10


@contextmanager
def statements() -> Iterator[list[str]]:
    """What pages ask the store meanwhile; the banner's report is read in a thread of its own."""
    sent: list[str] = []

    def note(connection: object, cursor: object, statement: str, *_: object) -> None:
        if threading.current_thread().name != "tickerq-health":
            sent.append(statement.lower())

    # Of every engine: bounded reads have one of their own.
    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def shown(page: Page) -> list[str]:
    """The ids of the runs on a page, in their order."""
    hrefs = page.locator("tbody th a").evaluate_all("all => all.map((each) => each.getAttribute('href'))")
    return [each.rpartition("/")[2].partition("?")[0] for each in hrefs]


def walk(page: Page, rel: str) -> Iterator[list[str]]:
    """Yield the runs of this page, and of each that a link leads to, until there is none."""
    while True:
        yield shown(page)
        link = page.locator(f'.pager a[rel="{rel}"]')
        if not link.count():
            return
        with page.expect_navigation():
            link.click()


@pytest.mark.journey("J5")
def test_runs_are_walked_there_and_back_without_gaps_while_others_end(browser: Browser, seeds: Seeds) -> None:
    start = datetime.now(UTC) - timedelta(days=1)
    ended = ({"status": TickerStatus.DONE, "ended_at": start + timedelta(seconds=at)} for at in range(RUNS))
    ids = [str(each) for each in seeds.runs(ended)]
    seconds = count(RUNS)

    def end_another() -> str:
        at = start + timedelta(seconds=next(seconds))
        return str(seeds.run(status=TickerStatus.DONE, ended_at=at))

    app = create_app(seeds.tickerq, users=USERS, page_size=PAGE)
    with running(app) as [(host, port)], statements() as sent:
        # Without script: what is walked is as it was loaded, and not refreshed meanwhile.
        page = logged_in(browser, script=False).new_page()
        # A hundred pages of two hundred rows: that they are drawn well is looked at elsewhere.
        page.route("**/static/**", lambda route: route.abort())
        page.goto(f"http://{host}:{port}{BASE}/runs")
        there, added = [], []
        for number, each in enumerate(walk(page, "next")):
            there += each
            if number % EVERY == 0:
                added.append(end_another())
        back = [run for each in walk(page, "prev") for run in reversed(each)]
        page.context.close()
    assert there == ids[::-1]
    assert back == [*ids, *added]
    assert len(there) // PAGE >= len(added) > 1
    assert sum("ended_at" in each and "order by" in each for each in sent) >= RUNS // PAGE
    # The banner counts among the ends that it looks at.
    assert [each for each in sent if "count(" in each and "ended_at" in each and "limit" not in each] == []
