"""A person meets pages without rows, and pages that fail: each says what is so, and none shows a cause."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.dashboard.browsing import logged_in, watched
from tests.dashboard.conftest import BASE, USERS
from tests.dashboard.failing import FailingReader, unreachable
from tests.dashboard.running import running
from tests.dashboard.seeds import Seeds
from tickerq_celery import TickerQ, TickerStatus
from tickerq_celery.errors import QueryTooWideError, StoreTimeoutError
from tickerq_dashboard import create_app

pytestmark = pytest.mark.verify
LISTS = ("/runs", "/runs/active", "/runs/upcoming", "/crons")
EMPTY = ("/", *LISTS, "/upcoming", "/errors", "/functions", "/nodes")
# What a page must not show of why it failed.
CAUSES = re.compile(r"Traceback|File \"|SELECT |psycopg|sqlite3|site-packages|secret")


@contextmanager
def dashboard(browser: Browser, tickerq: TickerQ) -> Iterator[tuple[Page, str, list[str]]]:
    app = create_app(tickerq, users=USERS)
    with running(app) as [(host, port)]:
        page = logged_in(browser).new_page()
        yield page, f"http://{host}:{port}{BASE}", watched(page)
        page.context.close()


def failed(page: Page, address: str, status: int, words: str) -> None:
    """Open a page that fails, and check what it shows."""
    answer = page.goto(address)
    assert answer is not None
    assert answer.status == status
    expect(page.locator("main")).to_contain_text(words)
    assert CAUSES.search(page.content()) is None
    assert page.get_by_role("link", name="Go to the overview").or_(page.locator(".pages a").first).count()


@pytest.mark.journey("J26")
def test_an_empty_store_says_on_each_page_what_to_do(browser: Browser, seeds: Seeds) -> None:
    with dashboard(browser, seeds.tickerq) as (page, base, complaints):
        for path in EMPTY:
            page.goto(base + path)
            assert page.locator(".empty").first.is_visible(), path
            assert page.locator(".pager").count() == 0, path
        assert complaints == []


@pytest.mark.journey("J26")
def test_one_row_is_a_page_of_one_row(browser: Browser, seeds: Seeds) -> None:
    run_id = seeds.run(function="Send", status=TickerStatus.DONE, ended_at=datetime.now(UTC))
    cron_id = seeds.cron(function="Send")
    with dashboard(browser, seeds.tickerq) as (page, base, complaints):
        for path, row in (("/runs", run_id), ("/crons", cron_id)):
            page.goto(base + path)
            assert page.locator("tbody tr").count() == 1
            assert page.locator(".pager").count() == 0
            page.locator("tbody a", has_text="Send").click()
            page.wait_for_url(re.compile(f"{row}$"))
        assert complaints == []


@pytest.mark.journey("J26")
def test_what_was_deleted_says_by_whom_and_what_never_was_is_not_there(
    browser: Browser, seeds: Seeds
) -> None:
    run_id = seeds.run(status=TickerStatus.DONE)
    with dashboard(browser, seeds.tickerq) as (page, base, _):
        page.goto(f"{base}/runs/{run_id}/delete")
        page.get_by_label("Reason").fill("of no use")
        page.locator("form.ask").get_by_role("button", name="Delete run").click()
        page.get_by_role("status").get_by_text("Deleted").wait_for()
        failed(page, f"{base}/runs/{run_id}", 410, "admin deleted it")
        expect(page.locator("main")).to_contain_text("of no use")
        for each in ("runs", "crons", "chains", "bulk"):
            failed(page, f"{base}/{each}/{uuid4()}", 404, "There is no such")
        failed(page, f"{base}/functions/Never", 404, "There is no such function")
        failed(page, f"{base}/no", 404, "Nothing is at this address")


class SilentReader:
    """A TickerQ whose database hangs."""

    def __getattr__(self, name: str):
        raise StoreTimeoutError(2.9)


@pytest.mark.journey("J26")
@pytest.mark.parametrize(
    ("tickerq", "status", "words"),
    [
        (unreachable, 503, "The store cannot be reached"),
        (SilentReader, 503, "The store gave no answer within 2.9 s"),
        (FailingReader, 500, "The dashboard failed"),
    ],
)
def test_what_fails_is_a_page_that_shows_no_cause(
    browser: Browser, tickerq: Callable[[], TickerQ], status: int, words: str
) -> None:
    with dashboard(browser, tickerq()) as (page, base, _):
        for path in ("/runs", "/crons", "/nodes", f"/runs/{uuid4()}"):
            failed(page, base + path, status, words)


@pytest.mark.journey("J26")
def test_a_store_that_stops_to_answer_fails_the_next_page_and_is_back_after_it(
    browser: Browser, seeds: Seeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = seeds.run(function="Send", status=TickerStatus.DONE)
    with dashboard(browser, seeds.tickerq) as (page, base, _):
        page.goto(f"{base}/runs")
        with monkeypatch.context() as patch:
            patch.setattr(type(seeds.tickerq.runs), "get", slow)
            page.locator("tbody a", has_text="Send").click()
            expect(page.locator("main")).to_contain_text("This run could not be read in time")
            assert CAUSES.search(page.content()) is None
        page.goto(f"{base}/runs/{run_id}")
        expect(page.locator(".badge")).to_have_text("Done")


def slow(*_: object) -> None:
    """Read a run for longer than its budget."""
    raise QueryTooWideError(2)
