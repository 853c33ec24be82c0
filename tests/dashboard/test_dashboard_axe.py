"""Axe, the checker of accessibility, finds nothing on any page, in either theme, at any width."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.dashboard.browsing import SCHEMES, logged_in
from tests.dashboard.conftest import BASE, USERS
from tests.dashboard.failing import unreachable
from tests.dashboard.running import running
from tests.dashboard.seeds import Seeds
from tests.dashboard.served import Served
from tests.thoroughness import in_proof
from tickerq_celery import TickerStatus
from tickerq_celery.errors import QueryTooWideError
from tickerq_dashboard import create_app

pytestmark = [pytest.mark.verify, pytest.mark.timeout(900)]
# All that axe has, also what it calls best practice or experimental, but for this one: a contrast of 7:1 is
# of WCAG's level AAA, and the palette is made for the 4.5:1 of AA.
LEFT_OUT = "color-contrast-enhanced"
ALL_RULES: Sequence[str] = ()
# What axe can see of a theme: the other rules have judged the same elements in the same places before.
OF_COLOUR = ("color-contrast", "link-in-text-block")
# What it can see of a narrower phone, which shows what a wider one does in less room.
OF_ROOM = ("target-size", "scrollable-region-focusable")
# A theme, a width, and what is judged there.
Look = tuple[Literal["light", "dark"], int, Sequence[str]]
# The contrast of each page at each width in both themes is a test of the browser's, in a tenth of the time.
MOST: tuple[Look, ...] = (
    ("light", 1280, ALL_RULES),
    ("light", 390, ALL_RULES),
    ("light", 320, OF_ROOM),
    ("dark", 1280, OF_COLOUR),
)
IN_LIGHT: tuple[Look, ...] = (("light", 1280, ALL_RULES), ("light", 320, ALL_RULES))
ENTIRE: tuple[Look, ...] = tuple(
    (scheme, width, ALL_RULES) for scheme in SCHEMES for width in (1280, 390, 320)
)
RUN = f"""rules => {{
  const all = axe.getRules().map((rule) => rule.ruleId).filter((id) => id !== "{LEFT_OUT}");
  const runOnly = {{ type: "rule", values: rules.length ? rules : all }};
  return axe.run({{ runOnly, resultTypes: ["violations"] }}).then((found) => found.violations);
}}"""
SCRIPT = Axe().axe_script


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page into which axe can be injected: the dashboard's own policy forbids it."""
    context = logged_in(browser, bypass_csp=True)
    yield context.new_page()
    context.close()


def faults(page: Page, name: str, looks: Iterable[Look]) -> Iterator[str]:
    """Yield what axe finds in each theme at each width, and each width at which the page scrolls sideways."""
    page.evaluate(SCRIPT)
    for scheme, width, rules in looks:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 860})
        where = f"{name}, {scheme}, {width} px"
        for rule in page.evaluate(RUN, rules):
            for node in rule["nodes"]:
                yield f"{where}: {rule['id']}: {node['target']}: {node['failureSummary']}"
        if page.evaluate("document.documentElement.scrollWidth") > width:
            yield f"{where}: it scrolls sideways"


def open_all(page: Page, those: str) -> None:
    page.locator(those).evaluate_all("all => all.forEach((each) => { each.open = true })")


@pytest.mark.parametrize("looks", [MOST, in_proof(ENTIRE)], ids=["most", "entire"])
def test_axe_finds_nothing_on_any_page(page: Page, served: Served, looks: Sequence[Look]) -> None:
    found: list[str] = []
    served.showcase.beat()
    for name in served.showcase.paths:
        page.goto(served.address(name))
        # Not what opens over the page, and hides it.
        open_all(page, "details:not(.menu, .more, .rest)")
        found += faults(page, name, looks)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("looks", [MOST, in_proof(ENTIRE)], ids=["most", "entire"])
def test_axe_finds_nothing_in_menus_questions_and_refused_forms(
    page: Page, served: Served, looks: Sequence[Look]
) -> None:
    page.goto(served.address("runs-history"))
    open_all(page, "details.menu, details.more")
    found = [*faults(page, "menus", looks)]
    page.set_viewport_size({"width": 1280, "height": 860})
    page.goto(served.address("runs-filtered"))
    page.locator(".boxed td input").first.check()
    page.get_by_role("button", name=re.compile("^Retry")).first.click()
    page.wait_for_url(re.compile("/bulk/ask$"))
    found += faults(page, "question", looks)
    page.goto(served.address("cron-new"))
    page.get_by_label("Expression").last.fill("61 * * * *")
    page.get_by_role("button", name=re.compile("^Create|^Add")).first.click()
    page.locator("#wrong-title").wait_for()
    found += faults(page, "refused form", looks)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("looks", [IN_LIGHT, in_proof(ENTIRE)], ids=["in light", "entire"])
def test_axe_finds_nothing_where_a_store_is_empty_or_does_not_answer(
    page: Page, seeds: Seeds, monkeypatch: pytest.MonkeyPatch, looks: Sequence[Look]
) -> None:
    found: list[str] = []
    with running(create_app(seeds.tickerq, users=USERS)) as [(host, port)]:
        base = f"http://{host}:{port}{BASE}"
        for path in ("/", "/runs", "/runs/active", "/crons", "/errors", "/functions", "/nodes"):
            page.goto(base + path)
            assert page.locator(".empty").count(), path
            found += faults(page, f"empty {path}", looks)
        monkeypatch.setattr(type(seeds.tickerq.runs), "history", too_wide)
        answer = page.goto(f"{base}/runs?tag=eu")
        assert answer is not None
        assert answer.status == 503
        found += faults(page, "too wide", looks)
    with running(create_app(unreachable(), users=USERS)) as [(host, port)]:
        answer = page.goto(f"http://{host}:{port}{BASE}/runs")
        assert answer is not None
        assert answer.status == 503
        found += faults(page, "no store", looks)
    assert not found, "\n".join(found)


def too_wide(*_: object, **__: object) -> None:
    """Read a list for longer than its budget."""
    raise QueryTooWideError(2)


@pytest.mark.parametrize("looks", [IN_LIGHT, in_proof(ENTIRE)], ids=["in light", "entire"])
def test_axe_finds_nothing_where_an_action_is_asked_told_or_refused(
    browser: Browser, page: Page, seeds: Seeds, looks: Sequence[Look]
) -> None:
    seeds.now = seeds.tickerq.core.clock.now()
    seeds.tickerq.function("SendDailyDigest")(lambda context: None)
    error = {"exception_type": "shop.NoStock", "exception_message": "none of 7 " * 20}
    failed = seeds.runs({"status": TickerStatus.FAILED, "function": "shop.send", **error} for _ in range(102))
    cron_id = seeds.cron(next_run_at=seeds.now + timedelta(days=1))
    found: list[str] = []
    with running(create_app(seeds.tickerq, users=USERS)) as [(host, port)]:
        base = f"http://{host}:{port}{BASE}"
        page.goto(f"{base}/crons/{cron_id}/edit")
        seeds.tickerq.cron_tickers.update(cron_id, expression="0 0 8 * * *", description="of another one")
        page.get_by_label("Cron expression").last.fill("0 0 7 * * *")
        page.get_by_role("button", name="Save changes").last.click()
        page.get_by_text("Not saved: code changed").first.wait_for()
        found += faults(page, "409 of a form", looks)
        page.set_viewport_size({"width": 1280, "height": 860})
        page.goto(f"{base}/runs/{failed[0]}/delete")
        page.get_by_label("Reason").fill("of no use " * 9)
        page.locator("form.ask").get_by_role("button", name="Delete run").click()
        page.get_by_role("status").wait_for()
        found += faults(page, "flash", looks)
        page.goto(f"{base}/runs/{failed[0]}")
        page.get_by_text("admin deleted it").wait_for()
        found += faults(page, "410", looks)
        page.goto(f"{base}/runs/{failed[1]}/cancel")
        found += faults(page, "409 of an action", looks)
        page.goto(f"{base}/runs?status=failed")
        page.locator(".boxed tbody input").first.check()
        page.get_by_label("All that match the filter").check()
        page.get_by_role("button", name="Retry …").click()
        page.get_by_label("Type 101 to go on").fill("no")
        page.locator("form.ask .primary").click()
        page.get_by_text("Type 101 as it stands here.").wait_for()
        found += faults(page, "bulk question", looks)
        viewer = logged_in(browser, user="vera", bypass_csp=True).new_page()
        viewer.goto(f"{base}/runs/new")
        viewer.get_by_text("Your role does not allow this").wait_for()
        found += faults(viewer, "403", looks)
        viewer.context.close()
    assert not found, "\n".join(found)
