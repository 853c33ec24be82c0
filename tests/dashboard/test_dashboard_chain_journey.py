"""A chain by the keyboard alone: its tree is walked by Tab, and what its list says is the same."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.dashboard.browsing import logged_in, watched
from tests.dashboard.served import Served
from tickerq_celery import TickerStatus
from tickerq_celery.enums import UNENDED

pytestmark = pytest.mark.verify
# Where the focus is: the address that Enter leads to, whether its box is marked, and whether it is in sight.
FOCUSED = """() => {
  const link = document.activeElement.closest(".graph a");
  if (!link) return null;
  const edge = getComputedStyle(link.querySelector(".edge")), at = link.getBoundingClientRect();
  const panel = link.closest(".scrolls").getBoundingClientRect();
  const isSeen = at.left >= panel.left - 1 && at.right <= panel.right + 1;
  return [link.getAttribute("href"), edge.strokeWidth === "2.5px", isSeen];
}"""
WITHIN = "all => all.map((each) => each.getAttribute('href'))"


def tabbed_to(page: Page, selector: str) -> None:
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"Tab does not reach {selector}")


@pytest.mark.journey("J15")
@pytest.mark.parametrize("width", [1280, 390])
def test_the_tree_is_walked_by_tab_and_its_list_is_the_same(
    browser: Browser, served: Served, width: int
) -> None:
    context = logged_in(browser)
    page = context.new_page()
    complaints = watched(page)
    page.set_viewport_size({"width": width, "height": 860})
    page.goto(served.address("chain"))
    listed = page.locator(".tree a").evaluate_all(WITHIN)
    assert len(listed) > 5
    tabbed_to(page, ".scrolls")
    walked = []
    for _ in listed:
        page.keyboard.press("Tab")
        walked.append(page.evaluate(FOCUSED))
    assert walked == [[address, True, True] for address in listed]
    page.keyboard.press("Shift+Tab")
    assert page.evaluate(FOCUSED)[0] == listed[-2]
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(re.escape(listed[-2])))
    assert complaints == []
    context.close()


@pytest.mark.journey("J15")
def test_what_failed_is_retried_and_the_rest_cancelled_by_the_keyboard(
    browser: Browser, served: Served
) -> None:
    chain = served.showcase.seeds.tickerq.chains.tree
    context = logged_in(browser)
    page = context.new_page()
    page.goto(served.address("chain"))
    assert TickerStatus.FAILED in {each.run.status for each in chain(served.showcase.chain).runs}
    tabbed_to(page, '.head a[href$="/retry-failed"]')
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/retry-failed$"))
    tabbed_to(page, "#reason")
    page.keyboard.type("the gateway is back")
    page.keyboard.press("Enter")
    expect(page.locator(".flash")).to_contain_text("again in the chain of")
    page.wait_for_load_state()
    expect(page.locator(".graph .st-failed")).to_have_count(0)
    retried = {each.run.status for each in chain(served.showcase.chain).runs}
    assert retried.isdisjoint({TickerStatus.FAILED, TickerStatus.SKIPPED})
    assert page.locator(".graph g").count() == page.locator(".tree a").count()
    tabbed_to(page, '.head a[href$="/cancel-rest"]')
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/cancel-rest$"))
    tabbed_to(page, ".ask .primary")
    page.keyboard.press("Enter")
    expect(page.locator(".flash")).to_contain_text("Cancelled or asked to end")
    expect(page.locator(".graph .st-idle")).to_have_count(0)
    expect(page.locator(".tree .st-idle")).to_have_count(0)
    left = [each.run for each in chain(served.showcase.chain).runs if each.run.status in UNENDED]
    assert {each.status for each in left} == {TickerStatus.IN_PROGRESS}
    assert all(each.cancel_requested for each in left)
    context.close()
