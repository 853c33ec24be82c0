"""A person works without a mouse: the focus is seen at each key, and falls to no page's body."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.dashboard.actions.many import worked
from tests.dashboard.browsing import logged_in
from tests.dashboard.journeys.conftest import opened
from tests.dashboard.journeys.keyboard import Keyboard
from tests.dashboard.refreshing import refresh, stop_clock, wait_for_lead
from tests.dashboard.served import Served
from tests.tables import tickers
from tickerq_celery import TickerStatus
from tickerq_celery.enums import UNSTARTED

pytestmark = pytest.mark.verify
RUN = r"/runs/[0-9a-f-]{36}(\?|$)"
CRON = r"/crons/[0-9a-f-]{36}(\?|$)"


@pytest.fixture(params=[1280, 390])
def page(request: pytest.FixtureRequest, browser: Browser, site: Served) -> Iterator[Page]:
    page, complaints = opened(browser, site, "/")
    page.set_viewport_size({"width": request.param, "height": 860})
    yield page
    assert complaints == []
    page.context.close()


@pytest.fixture
def keyboard(page: Page) -> Keyboard:
    return Keyboard(page)


def row_to(keyboard: Keyboard, page: Page, name: str) -> None:
    """Move down a list to the row of a name."""
    row = page.locator("tbody tr").filter(has_text=name).first
    for _ in range(page.locator("tbody tr").count()):
        keyboard.press("j")
        if row.evaluate("row => row.contains(document.activeElement)"):
            return
    raise AssertionError(f"no row of {name}")


def act(keyboard: Keyboard, page: Page, name: str, to: str) -> None:
    """Follow a button of the head, which is in the menu there where the row has no room for it."""
    button = page.get_by_role("main").get_by_role("link", name=name)
    if not button.count():
        keyboard.tab_to(page.locator(".rest > summary"))
        keyboard.press("Enter")
        button.wait_for()
    keyboard.tab_to(button)
    keyboard.lead("Enter", to)


def field(page: Page, name: str) -> Locator:
    return page.get_by_role("main").get_by_role("textbox", name=name)


def test_a_failed_run_is_found_by_the_keyboard_and_retried(
    page: Page, keyboard: Keyboard, site: Served
) -> None:
    runs = site.showcase.seeds.tickerq.runs
    keyboard.lead("g r", "/runs$")
    keyboard.tab_to(field(page, "Search these runs"))
    keyboard.write("status:failed function:billing.cards.charge_card")
    keyboard.lead("Enter", "status=failed")
    keyboard.lead("j Enter", RUN)
    assert str(site.showcase.failed) in page.url
    keyboard.press("r")
    expect(page.get_by_role("button", name="Retry run")).to_be_focused()
    assert runs.get(site.showcase.failed).status is TickerStatus.FAILED
    keyboard.lead("Enter", RUN)
    expect(page.get_by_role("status")).to_contain_text("Retried")
    assert runs.get(site.showcase.failed).status in UNSTARTED


def test_a_cron_ticker_is_paused_by_the_keyboard_and_resumed(
    page: Page, keyboard: Keyboard, site: Served
) -> None:
    crons = site.showcase.seeds.tickerq.cron_tickers
    cron_id = site.showcase.crons["reports.sales.nightly_export"]
    keyboard.lead("g c", "/crons$")
    row_to(keyboard, page, "nightly_export")
    keyboard.lead("Enter", CRON)
    act(keyboard, page, "Pause cron ticker …", "/pause$")
    keyboard.tab_to(field(page, "Reason"))
    keyboard.write("the warehouse moves")
    keyboard.lead("Enter", CRON)
    expect(page.get_by_role("status")).to_contain_text("Paused")
    cron = crons.get(cron_id)
    assert (cron.is_enabled, cron.paused_by, cron.paused_reason) == (False, "admin", "the warehouse moves")
    keyboard.tab_to(page.get_by_role("link", name=re.compile("^Resume")).first)
    keyboard.lead("Enter", "/resume$")
    keyboard.tab_to(page.get_by_role("main").get_by_role("button", name="Resume"))
    keyboard.lead("Enter", CRON)
    expect(page.get_by_role("status")).to_contain_text("Resumed")
    assert crons.get(cron_id).is_enabled


def test_a_cron_ticker_is_edited_by_the_keyboard(page: Page, keyboard: Keyboard, site: Served) -> None:
    crons = site.showcase.seeds.tickerq.cron_tickers
    cron_id = site.showcase.crons["reports.sales.nightly_export"]
    site.showcase.seeds.tickerq.function("reports.sales.nightly_export")(lambda context: None)
    keyboard.lead("g c", "/crons$")
    row_to(keyboard, page, "nightly_export")
    keyboard.lead("Enter", CRON)
    act(keyboard, page, "Edit …", "/edit$")
    keyboard.tab_to(field(page, "Cron expression"))
    keyboard.write("15 4 * * 1-5")
    # Enter in a field shows what will happen, and stores nothing.
    keyboard.lead("Enter", "/edit$")
    expect(page.get_by_role("main")).to_contain_text("on Monday to Friday")
    assert crons.get(cron_id).expression == "0 30 2 * * *"
    keyboard.tab_to(field(page, "Reason"))
    keyboard.write("the export is later")
    keyboard.tab_to(page.get_by_role("button", name="Save changes").last)
    keyboard.lead("Enter", CRON)
    expect(page.get_by_role("status")).to_contain_text("Saved the changes")
    assert crons.get(cron_id).expression == "15 4 * * 1-5"


def test_what_comes_is_found_by_the_keyboard_and_cancelled(
    page: Page, keyboard: Keyboard, site: Served
) -> None:
    runs = site.showcase.seeds.tickerq.runs
    later = site.showcase.now + timedelta(days=9)
    wanted = site.showcase.seeds.run(execution_time=later, due_at=later, tags=["basket-12"])
    find, content = page.get_by_label("Find a name or an id").first, page.get_by_role("main")
    keyboard.press("/")
    expect(find).to_be_focused()
    # Back to where it was: shortcuts work again.
    keyboard.press("Escape")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    keyboard.press("/")
    page.keyboard.type("tag:basket-12")
    keyboard.lead("Enter", "tag=basket-12")
    # It has not ended, and the history says which list has it.
    keyboard.tab_to(content.get_by_role("link", name="1 run"))
    keyboard.lead("Enter", "/runs/upcoming")
    keyboard.lead("j Enter", RUN)
    assert str(wanted) in page.url
    keyboard.lead("c", "/cancel$")
    keyboard.tab_to(field(page, "Reason"))
    keyboard.write("the basket is empty")
    assert runs.get(wanted).status is TickerStatus.IDLE
    keyboard.lead("Enter", RUN)
    expect(page.get_by_role("status")).to_contain_text("Cancelled")
    assert runs.get(wanted).status is TickerStatus.CANCELLED


def test_why_a_run_waits_is_read_by_the_keyboard(page: Page, keyboard: Keyboard, site: Served) -> None:
    keyboard.lead("g r", "/runs$")
    keyboard.tab_to(page.get_by_role("navigation", name="Lists of runs").get_by_role("link", name="Now"))
    keyboard.lead("Enter", "/runs/active$")
    row_to(keyboard, page, "push_contacts")
    keyboard.lead("Enter", RUN)
    assert str(site.showcase.waiting) in page.url
    why = page.get_by_role("main")
    expect(why.get_by_role("heading", name="Why does it not run?")).to_be_visible()
    expect(why).to_contain_text("Tag crm is paused since")
    expect(why).to_contain_text("Import of the new segments is running")
    # What would change it is one of the next stops.
    keyboard.tab_to(why.get_by_role("link", name=re.compile("^Resume tag crm")))
    keyboard.lead("Enter", "/pauses/resume")
    expect(why).to_contain_text("1 held run starts")


def test_the_focus_of_a_row_that_leaves_a_list_goes_to_the_row_in_its_place(
    browser: Browser, site: Served
) -> None:
    context = logged_in(browser)
    stop_clock(context)
    page = context.new_page()
    page.goto(f"{site.base}/runs/active")
    keyboard = Keyboard(page)
    wait_for_lead(page)
    links = page.locator("tbody th a")
    running = page.locator(f'tbody a[href*="{site.showcase.running}"]')
    row_to(keyboard, page, "import_orders")
    expect(running).to_be_focused()
    place = links.evaluate_all("all => all.indexOf(document.activeElement)")
    site.showcase.seeds.tickerq.core.write(
        lambda tx: tx.execute(tickers.delete().where(tickers.c.id == site.showcase.running))
    )
    refresh(page, lambda: running.count() == 0)
    expect(links.nth(place)).to_be_focused()
    context.close()


def test_a_page_that_is_loaded_again_or_gone_back_to_has_the_focus_at_its_head(
    page: Page, keyboard: Keyboard
) -> None:
    keyboard.lead("g c", "/crons$")
    head = page.get_by_role("heading", level=1)
    page.reload()
    expect(head).to_be_focused()
    keyboard.lead("g r", "/runs$")
    page.go_back()
    expect(head).to_have_text("Cron tickers")
    expect(head).to_be_focused()


@pytest.mark.journey("J9")
def test_three_that_are_ticked_by_the_keyboard_are_retried(
    page: Page, keyboard: Keyboard, site: Served
) -> None:
    tickerq = site.showcase.seeds.tickerq
    now = tickerq.core.clock.now()
    failed = {"status": TickerStatus.FAILED, "function": "stock.levels.recount"}
    # The latest end is the first row; the fourth is not ticked.
    runs = [site.showcase.seeds.run(**failed, ended_at=now - timedelta(seconds=each)) for each in range(4)]
    keyboard.lead("g r", "/runs$")
    keyboard.tab_to(field(page, "Search these runs"))
    keyboard.write("status:failed function:stock.levels.recount")
    keyboard.lead("Enter", "status=failed")
    keyboard.press("j x j x j x")
    keyboard.lead("r", "/bulk/ask$")
    expect(page.get_by_role("heading", name="Retry 3 runs?")).to_be_focused()
    keyboard.tab_to(field(page, "Reason"))
    keyboard.write("the gateway is back")
    keyboard.lead("Enter", "/bulk/[0-9a-f-]{36}")
    expect(page.get_by_role("status")).to_contain_text("Started the bulk job")
    worked(site.showcase.seeds)
    newest = max(tickerq.bulk.find(), key=lambda job: job.created_at)
    assert (newest.action, newest.changed, newest.reason) == ("retry", 3, "the gateway is back")
    *ticked, left = (tickerq.runs.get(each).status for each in runs)
    assert set(ticked) <= UNSTARTED
    assert left is TickerStatus.FAILED
    page.reload()
    expect(page.get_by_role("main")).to_contain_text("Done")


@pytest.mark.journey("J24")
def test_by_the_keyboard_help_is_read_a_theme_is_chosen_and_the_shortcuts_are_switched_off(
    page: Page, keyboard: Keyboard, site: Served
) -> None:
    keyboard.press("/")
    # What is typed is no shortcut.
    page.keyboard.type(f"{site.showcase.failed}")
    keyboard.lead("Enter", RUN)
    keyboard.press("r")
    keyboard.lead("Enter", RUN)
    expect(page.get_by_role("status")).to_contain_text("Retried")
    assert site.showcase.seeds.tickerq.runs.get(site.showcase.failed).status in UNSTARTED
    dark = "matchMedia('(prefers-color-scheme: dark)').matches"
    ground = "getComputedStyle(document.body).backgroundColor"
    before = page.evaluate(ground)
    assert not page.evaluate(dark)
    keyboard.press("t t")
    assert page.evaluate(ground) != before
    keyboard.lead("?", "/help$")
    assert page.evaluate(ground) != before
    switch = page.get_by_label("Shortcuts are on")
    keyboard.tab_to(switch)
    keyboard.press("Space g o")
    page.reload()
    expect(switch).not_to_be_checked()
    keyboard.press("g o")
    expect(page.get_by_role("heading", level=1)).to_have_text("Help")
