"""A person retries what failed: one run, whose attempts go on, and all that match a filter."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.dashboard.browsing import logged_in, watched
from tests.dashboard.conftest import BASE, USERS
from tests.dashboard.refreshing import refresh, stop_clock, wait_for_lead
from tests.dashboard.running import running
from tests.dashboard.seeds import Seeds
from tests.integration.making import ListPublisher
from tests.tables import tickers
from tickerq_celery import TickerStatus, TimeTicker
from tickerq_celery.beat.bulk_runner import BulkRunner
from tickerq_celery.enums import UNSTARTED
from tickerq_dashboard import create_app

pytestmark = pytest.mark.verify
TRACE = 'Traceback (most recent call last):\n  File "shop.py", line {}, in send\n'


@pytest.fixture
def base(seeds: Seeds) -> Iterator[str]:
    seeds.now = seeds.tickerq.core.clock.now()
    with running(create_app(seeds.tickerq, users=USERS)) as [(host, port)]:
        yield f"http://{host}:{port}{BASE}"


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page whose clock the test moves."""
    context = logged_in(browser)
    stop_clock(context)
    page = context.new_page()
    complaints = watched(page)
    yield page
    # Chromium's own line about a form that was refused.
    assert [each for each in complaints if "422" not in each] == []
    context.close()


@pytest.mark.journey("J6")
def test_after_a_retry_the_fourth_attempt_appears_and_the_three_before_it_stay(
    page: Page, base: str, seeds: Seeds
) -> None:
    failed = {"status": TickerStatus.FAILED, "exception_type": "NoStock", "retries": 2, "retry_count": 2}
    run_id = seeds.run(function="shop.send", started_at=seeds.now, **failed)
    for number in range(3):
        at = seeds.now - timedelta(minutes=9 - number)
        trace = TRACE.format(number + 1)
        seeds.attempt(
            run_id,
            number=number,
            started_at=at,
            ended_at=at + timedelta(seconds=4),
            exception_type="NoStock",
            traceback=trace,
        )
    page.goto(f"{base}/runs?status=failed")
    page.get_by_role("link", name="send").click()
    attempts = page.locator(".attempt .who b")
    expect(attempts).to_have_text(["1", "2", "3"])
    page.get_by_text("Whole traceback of attempt 3").click()
    expect(page.locator("#traceback")).to_contain_text("line 3")
    page.get_by_text("As a table").click()
    first = page.locator("summary", has_text="Traceback of attempt 1")
    first.click()
    expect(page.get_by_label("Traceback of attempt 1")).to_contain_text("line 1")
    page.get_by_role("button", name="Retry run").click()
    expect(page.get_by_role("status")).to_contain_text("Retried")
    assert seeds.tickerq.runs.get(run_id).status in UNSTARTED
    page.get_by_text("As a table").click()
    wait_for_lead(page)
    now = seeds.tickerq.core.clock.now()
    seeds.attempt(run_id, number=3, started_at=now, ended_at=now, status=TickerStatus.DONE)
    done = {"status": TickerStatus.DONE, "ended_status": TickerStatus.DONE, "due_at": None}
    ends = tickers.update().where(tickers.c.id == run_id).values(**done, started_at=now, ended_at=now)
    seeds.tickerq.core.write(lambda tx: tx.execute(ends))
    refresh(page, lambda: attempts.count() == 4)
    expect(attempts).to_have_text(["1", "2", "3", "4"])
    expect(page.locator(".badge").first).to_have_text("Done")
    expect(page.get_by_text("Traceback of attempt 3")).to_be_visible()


@pytest.mark.journey("J9")
def test_all_that_match_are_retried_once_their_number_is_typed_and_a_newer_one_is_not(
    page: Page, base: str, seeds: Seeds
) -> None:
    # Those with unique keys are retried one after another, 50 in a batch.
    those = {"status": TickerStatus.FAILED, "function": "shop.send"}
    failed = seeds.runs({**those, "unique_key": f"order {number}"} for number in range(137))
    page.goto(f"{base}/runs?status=failed")
    page.locator(".boxed tbody input").first.check()
    page.get_by_label("All that match the filter, on every page").check()
    now = seeds.tickerq.core.clock.now()
    newer = seeds.run(**those, ended_at=now)
    page.get_by_role("button", name="Retry …").click()
    page.get_by_role("heading", name="Retry 137 runs?").wait_for()
    page.get_by_label("Reason").fill("the stock is back")
    page.get_by_label("Type 137 to go on").fill("136")
    page.get_by_role("button", name="Retry 137 runs").click()
    expect(page.locator("#typed-error")).to_have_text("Type 137 as it stands here.")
    assert not seeds.tickerq.bulk.find()
    page.get_by_label("Type 137 to go on").fill("137")
    page.get_by_role("button", name="Retry 137 runs").click()
    expect(page.get_by_role("status")).to_contain_text("Started the bulk job")
    expect(page.locator(".badge")).to_have_text("Waiting")
    tomorrow = TimeTicker(function="shop.send", execution_time=now + timedelta(days=1), unique_key="order 7")
    seeds.tickerq.time_tickers.add(tomorrow, allow_unknown=True)
    wait_for_lead(page)
    beat = BulkRunner(seeds.tickerq.core, ListPublisher())
    beat.step()
    changed = page.locator(".band div", has_text="Changed").first
    refresh(page, lambda: "49" in changed.inner_text())
    expect(page.locator(".badge")).to_have_text("Running")
    while not beat.step():
        pass
    refresh(page, lambda: page.locator(".badge").inner_text() == "Done")
    expect(changed).to_contain_text("136")
    skipped = page.locator("section", has=page.get_by_role("heading", name="Skipped")).locator("tbody tr")
    expect(skipped).to_have_count(1)
    expect(skipped).to_contain_text(str(failed[7])[-12:])
    [job] = seeds.tickerq.bulk.find()
    assert (job.reason, job.actor) == ("the stock is back", "admin")
    assert seeds.tickerq.runs.get(newer).status is TickerStatus.FAILED
    assert seeds.tickerq.runs.get(failed[-1]).status is TickerStatus.IDLE
