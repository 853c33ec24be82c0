"""Axe, the checker of WCAG's rules, finds nothing on any page, in either theme, at any width."""

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.dashboard.browsing import SCHEMES, logged_in
from tests.dashboard.served import Served

pytestmark = pytest.mark.verify
WIDTHS = (1280, 390, 320)
ALL_RULES = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
# What axe can see of a theme: the other rules have judged the same elements in the same places before.
OF_COLOUR = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
# A narrower phone shows what a wider one does, in the colours that the light theme was judged in there.
DARK_WIDTHS = (1280, 390)
RUN = "rules => axe.run({ runOnly: rules, resultTypes: ['violations'] }).then(found => found.violations)"
SCRIPT = Axe().axe_script


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page into which axe can be injected: the dashboard's own policy forbids it."""
    context = logged_in(browser, bypass_csp=True)
    yield context.new_page()
    context.close()


def faults(page: Page, name: str) -> Iterator[str]:
    """Yield what axe finds in each theme at each width, and each width at which the page scrolls sideways."""
    page.evaluate(SCRIPT)
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        rules, judged = (ALL_RULES, WIDTHS) if scheme == "light" else (OF_COLOUR, DARK_WIDTHS)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 860})
            where = f"{name}, {scheme}, {width} px"
            for rule in page.evaluate(RUN, rules) if width in judged else ():
                for node in rule["nodes"]:
                    yield f"{where}: {rule['id']}: {node['target']}: {node['failureSummary']}"
            if page.evaluate("document.documentElement.scrollWidth") > width:
                yield f"{where}: it scrolls sideways"


def open_all(page: Page, those: str) -> None:
    page.locator(those).evaluate_all("all => all.forEach((each) => { each.open = true })")


@pytest.mark.timeout(900)
def test_axe_finds_nothing_on_any_page(page: Page, served: Served) -> None:
    found: list[str] = []
    served.showcase.beat()
    for name in served.showcase.paths:
        page.goto(served.address(name))
        # Not what opens over the page, and hides it.
        open_all(page, "details:not(.menu):not(.more)")
        found += faults(page, name)
    assert not found, "\n".join(found)


def test_axe_finds_nothing_in_menus_questions_and_refused_forms(page: Page, served: Served) -> None:
    page.goto(served.address("runs-history"))
    open_all(page, "details.menu, details.more")
    found = [*faults(page, "menus")]
    page.set_viewport_size({"width": 1280, "height": 860})
    page.goto(served.address("runs-filtered"))
    page.locator(".boxed td input").first.check()
    page.get_by_role("button", name=re.compile("^Retry")).first.click()
    page.wait_for_url(re.compile("/bulk/ask$"))
    found += faults(page, "question")
    page.goto(served.address("cron-new"))
    page.get_by_label("Expression").last.fill("61 * * * *")
    page.get_by_role("button", name=re.compile("^Create|^Add")).first.click()
    page.locator("#wrong-title").wait_for()
    found += faults(page, "refused form")
    assert not found, "\n".join(found)
