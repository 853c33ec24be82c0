"""A person takes an id, a traceback or a payload along."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.dashboard.browsing import logged_in
from tests.dashboard.refreshing import stop_clock
from tests.dashboard.served import Served

pytestmark = pytest.mark.verify


def run_page(browser: Browser, served: Served, *, may_write: bool) -> Page:
    context = logged_in(browser)
    # A button says for two seconds that it has copied.
    stop_clock(context)
    if may_write:
        context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    if not may_write:
        # As on a page that came by http from another machine.
        page.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    page.goto(served.address("run-failed"))
    return page


def copied(page: Page) -> str:
    return str(page.evaluate("navigator.clipboard.readText()"))


@pytest.mark.journey("J6")
def test_the_id_the_traceback_and_the_payload_of_a_run_can_be_copied(
    browser: Browser, served: Served
) -> None:
    page = run_page(browser, served, may_write=True)
    page.get_by_role("button", name="Copy id").click()
    expect(page.get_by_role("button", name="Copied id")).to_be_visible()
    assert copied(page) == str(served.showcase.failed)
    page.get_by_text("Whole traceback").click()
    page.get_by_role("button", name="Copy traceback").click()
    expect(page.get_by_role("button", name="Copied traceback")).to_be_visible()
    assert copied(page).startswith("Traceback (most recent call last):")
    page.get_by_text("Raw", exact=True).click()
    page.get_by_role("button", name="Copy payload").click()
    expect(page.get_by_role("button", name="Copied payload")).to_be_visible()
    assert '"currency": "EUR"' in copied(page)
    page.context.close()


@pytest.mark.journey("J6")
def test_where_a_page_may_not_write_to_the_clipboard_the_text_is_selected(
    browser: Browser, served: Served
) -> None:
    page = run_page(browser, served, may_write=False)
    page.get_by_role("button", name="Copy id").click()
    expect(page.get_by_role("button", name="Selected id")).to_be_visible()
    assert page.evaluate("String(getSelection())") == str(served.showcase.failed)
    page.context.close()
