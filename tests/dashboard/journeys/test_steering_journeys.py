"""A person cancels, pauses, starts and releases, and sees at each step how it stands."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.dashboard.journeys.conftest import REFRESHED, opened
from tests.dashboard.served import Served
from tests.integration.apps import fire_crons
from tests.tables import cron_tickers, nodes, tickers
from tickerq_celery import TickerStatus
from tickerq_celery.enums import Origin

pytestmark = pytest.mark.verify


def confirm(page: Page, name: str, reason: str = "") -> None:
    """Send the form of the page that asks."""
    if reason:
        page.get_by_label("Reason").fill(reason)
    page.locator("form.ask").get_by_role("button", name=name).click()


@pytest.mark.journey("J8")
def test_a_run_of_another_node_is_asked_to_end_until_it_does(browser: Browser, site: Served) -> None:
    running = site.showcase.running
    page, complaints = opened(browser, site, f"/runs/{running}")
    page.get_by_role("link", name=re.compile("^Cancel")).click()
    confirm(page, "Cancel")
    page.get_by_role("status").get_by_text("Asked to end").wait_for()
    expect(page.get_by_text("It is asked to end.")).to_be_visible()
    expect(page.locator(".badge")).to_have_text("Cancelling")
    asked = site.showcase.seeds.tickerq.runs.get(running)
    assert (asked.status, asked.cancel_requested) == (TickerStatus.IN_PROGRESS, True)
    now = site.showcase.seeds.tickerq.core.clock.now()
    heeded = {"status": TickerStatus.CANCELLED, "ended_status": TickerStatus.CANCELLED, "ended_at": now}
    ends = tickers.update().where(tickers.c.id == running).values(**heeded, running_on=None)
    site.showcase.seeds.tickerq.core.write(lambda tx: tx.execute(ends))
    page.locator(".badge", has_text="Cancelled").wait_for(timeout=REFRESHED)
    assert page.get_by_text("It is asked to end.").count() == 0
    assert complaints == []
    page.context.close()


@pytest.mark.journey("J8")
def test_a_run_that_does_not_heed_it_is_in_progress_still_and_the_page_says_what_is_next(
    browser: Browser, site: Served
) -> None:
    running, seeds = site.showcase.running, site.showcase.seeds
    page, complaints = opened(browser, site, f"/runs/{running}")
    page.get_by_role("link", name=re.compile("^Cancel")).click()
    confirm(page, "Cancel")
    page.get_by_text("It is asked to end.").wait_for()
    assert page.get_by_role("link", name="Terminate …").count() == 0
    # Its lease has passed since then.
    asked = tickers.update().where(tickers.c.id == running)
    long_ago = seeds.tickerq.core.clock.now() - timedelta(days=1)
    seeds.tickerq.core.write(lambda tx: tx.execute(asked.values(updated_at=long_ago)))
    expect(page.get_by_role("main")).to_contain_text("The next step is to terminate it", timeout=REFRESHED)
    expect(page.get_by_role("link", name="Terminate …", exact=True)).to_be_visible()
    expect(page.locator(".badge")).to_have_text("Cancelling")
    left = seeds.tickerq.runs.get(running)
    assert (left.status, left.cancel_requested) == (TickerStatus.IN_PROGRESS, True)
    assert complaints == []
    page.context.close()


@pytest.mark.journey("J12", "J20")
@pytest.mark.parametrize("script", [True, False])
def test_a_paused_cron_ticker_runs_when_asked_and_resumes_without_a_burst(
    browser: Browser, site: Served, *, script: bool
) -> None:
    tickerq = site.showcase.seeds.tickerq
    cron_id = site.showcase.crons["stock.levels.recount"]
    before = {each.id for each in tickerq.runs.find(cron_ticker_id=cron_id)}
    page, complaints = opened(browser, site, "/upcoming", script=script)
    coming = page.get_by_role("table", name="What is to come").get_by_role("row").filter(has_text="recount")
    expect(coming).to_have_count(1)
    page.goto(f"{site.base}/crons/{cron_id}")
    page.get_by_role("link", name="Pause cron ticker …").click()
    confirm(page, "Pause cron ticker", "the warehouse moves")
    page.get_by_role("status").get_by_text("Paused").wait_for()
    cron = tickerq.cron_tickers.get(cron_id)
    assert (cron.is_enabled, cron.paused_by, cron.paused_reason) == (False, "admin", "the warehouse moves")
    expect(page.get_by_text("Paused by admin since").locator("..")).to_contain_text("the warehouse moves")
    for path in ("/crons?state=paused", "/pauses"):
        page.goto(site.base + path)
        expect(page.get_by_role("main")).to_contain_text("the warehouse moves")
    page.goto(f"{site.base}/upcoming")
    expect(coming).to_have_count(0)
    page.goto(f"{site.base}/crons/{cron_id}")
    page.get_by_role("button", name="Run now").click()
    page.get_by_role("status").get_by_text("Run beside the schedule").wait_for()
    [beside] = {each.id for each in tickerq.runs.find(cron_ticker_id=cron_id)} - before
    # As if 432 instants had passed meanwhile.
    long_ago = tickerq.core.clock.now() - timedelta(days=3)
    paused = cron_tickers.update().where(cron_tickers.c.id == cron_id)
    tickerq.core.write(lambda tx: tx.execute(paused.values(paused_at=long_ago, resume_from=long_ago)))
    page.goto(f"{site.base}/crons/{cron_id}")
    page.get_by_role("link", name=re.compile("^Resume")).first.click()
    confirm(page, "Resume")
    page.get_by_role("status").get_by_text("Resumed").wait_for()
    fire_crons(tickerq)
    assert tickerq.cron_tickers.get(cron_id).is_enabled
    new = [each for each in tickerq.runs.find(cron_ticker_id=cron_id) if each.id not in before | {beside}]
    # One record of all that passed; what comes next may be there already.
    assert [each.skipped_reason for each in new if each.status is TickerStatus.SKIPPED]
    assert len([each for each in new if each.execution_time < tickerq.core.clock.now()]) == 1
    page.goto(f"{site.base}/upcoming")
    expect(coming).to_have_count(1)
    assert complaints == []
    page.context.close()


@pytest.mark.journey("J17")
def test_a_function_is_paused_and_a_run_of_it_is_planned_from_its_page(
    browser: Browser, site: Served
) -> None:
    name, tickerq = "billing.cards.charge_card", site.showcase.seeds.tickerq
    tickerq.function(name)(lambda context: None)
    page, complaints = opened(browser, site, f"/functions/{name}")
    page.get_by_role("link", name="Schedule a run …").click()
    page.get_by_label("Payload", exact=True).fill('{"order": {"customer": 1}}')
    page.get_by_label("Description").fill("from its page")
    page.get_by_role("button", name="Schedule run").last.click()
    page.get_by_role("status").get_by_text("Scheduled").wait_for()
    [made] = [each for each in tickerq.runs.find(function=name) if each.description == "from its page"]
    assert (made.origin, made.created_by) == (Origin.ADDED, "admin")
    [entry] = tickerq.audit.find(object_kind="run", object_id=made.id)
    assert (entry.actor, entry.via) == ("admin", "dashboard")
    page.goto(f"{site.base}/functions/{name}")
    page.get_by_role("link", name="Pause …").click()
    confirm(page, "Pause function", "the gateway is down")
    page.get_by_role("status").get_by_text("Paused").wait_for()
    assert "the gateway is down" in [each.reason for each in tickerq.pauses.find()]
    assert complaints == []
    page.context.close()


@pytest.mark.journey("J18")
def test_a_worker_falls_silent_then_is_dead_and_its_run_is_released_once(
    browser: Browser, site: Served
) -> None:
    tickerq, running = site.showcase.seeds.tickerq, site.showcase.running
    page, complaints = opened(browser, site, "/nodes")
    row = page.locator(f"#n{site.showcase.worker}")
    expect(row).to_contain_text("Alive")
    now = tickerq.core.clock.now()
    for ago, state in ((timedelta(hours=8), "Silent"), (timedelta(days=1), "Dead")):
        seen = nodes.update().where(nodes.c.id == site.showcase.worker).values(seen_at=now - ago)
        tickerq.core.write(lambda tx, each: tx.execute(each), seen)
        expect(row).to_contain_text(state, timeout=REFRESHED)
    page.locator(f'a[href$="/runs/{running}/release"]').click()
    confirm(page, "Release")
    page.get_by_role("status").get_by_text("Released").wait_for()
    page.wait_for_load_state()
    released = tickerq.runs.get(running)
    assert released.rescue_count == 1
    assert released.status in {TickerStatus.IDLE, TickerStatus.QUEUED}
    assert page.get_by_role("link", name=re.compile("^Release")).count() == 0
    assert complaints == []
    page.context.close()
