"""The mouse reaches all that a page shows: nothing lies over a control, at either edge of the window."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.dashboard.actions.many import worked
from tests.dashboard.browsing import logged_in, watched
from tests.dashboard.conftest import BASE, PASSWORD, USERS
from tests.dashboard.refreshing import stop_clock
from tests.dashboard.running import running
from tests.dashboard.seeds import Seeds
from tests.dashboard.served import Served
from tests.thoroughness import in_verify
from tickerq_celery import TickerStatus
from tickerq_dashboard import create_app

# What one presses, opens, ticks or types into; the link to the content is seen while it has the focus only.
CONTROLS = ":is(a[href], button, summary, select, textarea, input:not([type=hidden])):not(.skip)"
# What opens over a page, and hides what is below it.
POPOVERS = "details:is(.menu, .more, .rest):has(> summary)"
# Of a link in two lines, or a mark of a chart in several parts, it is the middle of the longest part.
POINT = """(each, edge) => {
  each.scrollIntoView({ block: edge, inline: "nearest", behavior: "instant" });
  const parts = each.querySelectorAll(":scope > .hit");
  const drawn = parts.length ? [...parts] : [each];
  const boxes = drawn.flatMap((node) => [...node.getClientRects()]);
  const [part] = boxes.sort((one, two) => two.width - one.width);
  return part && part.width && part.height ? [part.x + part.width / 2, part.y + part.height / 2] : null;
}"""
COVERED = f"""(within) => {{
  const point = {POINT};
  const said = (node) => node && `${{node.tagName}}.${{node.getAttribute("class") ?? ""}}`;
  const all = [...within.querySelectorAll({CONTROLS!r})].filter((each) => each.checkVisibility());
  const covered = [], reached = [];
  for (const each of all) for (const edge of ["start", "end"]) {{
    const at = point(each, edge);
    if (!at) continue;
    const hit = document.elementFromPoint(...at);
    const words = (each.textContent || each.name || "").trim().replace(/\\s+/g, " ").slice(0, 40);
    if (hit && each.contains(hit)) reached.push(each);
    else covered.push(`${{said(each)}} "${{words}}" at ${{edge}} ${{at.map(Math.round)}}: ${{said(hit)}}`);
  }}
  return [new Set(reached).size, covered];
}}"""
# Of which kind each visible control is, with its number among all.
KINDS = f"""() => [...document.querySelectorAll({CONTROLS!r})].map((each, number) => {{
  if (!each.checkVisibility() || !each.getClientRects().length) return null;
  const part = each.closest("nav, form, table, .panel, .health, .head, .flash, .side, .tiles, .chips");
  const names = [each.tagName, each.type ?? "", each.getAttribute("class") ?? "", part?.classList[0] ?? ""];
  return [names.join(" ").trim(), number];
}}).filter((each) => each)"""
# A click arrives and does nothing more, so that the page stays for the next one.
LISTEN = """() => {
  window.met = null;
  const meet = (event) => {
    event.preventDefault();
    event.stopImmediatePropagation();
    window.met = event.target;
  };
  addEventListener("click", meet, { capture: true });
  addEventListener("mousedown", (event) => event.target.matches("select") && event.preventDefault(), true);
}"""
# A field that offers names opens their list, which is no part of the page, and takes the rest of the click.
IS_MET = "each => each.contains(met) || each.labels?.[0]?.contains(met) || each === document.activeElement"
# Each with whether fingers use it, where controls are larger.
WIDTHS = ((1280, False), (390, False), (390, True))
# Low, so that a list of a few rows is longer than the window.
HEIGHT = 480
FAILURES = 20


def opened(browser: Browser, width: int, *, fingers: bool = False) -> Page:
    """A page of a width that shows what it is, and does not refresh itself."""
    context = browser.new_context(
        viewport={"width": width, "height": HEIGHT},
        has_touch=fingers,
        is_mobile=fingers,
        http_credentials={"username": "admin", "password": PASSWORD},
    )
    stop_clock(context)
    return context.new_page()


def parts_of(page: Page) -> Iterator[Locator]:
    """The page with all that folds, and then each menu of it, opened."""
    page.locator(f"details:not({POPOVERS})").evaluate_all(
        "all => all.forEach((each) => { each.open = true })"
    )
    yield page.locator("body")
    for popover in page.locator(POPOVERS).all():
        if popover.locator("> summary").is_visible():
            popover.evaluate("each => { each.open = true }")
            yield popover
            popover.evaluate("each => { each.open = false }")


def tick_some(page: Page) -> None:
    """Tick the first row of a list that has boxes, and the last."""
    boxes = page.locator(".boxed tbody input")
    for box in (boxes.first, boxes.last):
        box.check()


def faults(page: Page, name: str) -> tuple[int, list[str]]:
    """How many controls of a page the mouse reaches, and what lies over the others."""
    reached, found = 0, []
    for part in parts_of(page):
        number, covered = part.evaluate(COVERED)
        reached += number
        found += [f"{name}: {each}" for each in covered]
    return reached, found


@pytest.mark.parametrize(
    ("width", "names"),
    [(1280, ("runs-history", "run-failed")), in_verify(390, ("runs-history", "crons", "overview"))],
)
def test_nothing_lies_over_a_control_while_rows_are_ticked_and_while_none_is(
    browser: Browser, served: Served, width: int, names: tuple[str, ...]
) -> None:
    page = opened(browser, width)
    found: list[str] = []
    for name in names:
        page.goto(served.address(name))
        found += faults(page, name)[1]
        if page.locator(".boxed").count():
            tick_some(page)
            found += faults(page, f"{name} with ticked rows")[1]
    page.context.close()
    assert not found, "\n".join(found)


@pytest.mark.verify
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("width", "fingers"), WIDTHS)
def test_nothing_lies_over_a_control_of_any_page(
    browser: Browser, served: Served, width: int, *, fingers: bool
) -> None:
    page = opened(browser, width, fingers=fingers)
    found: list[str] = []
    few: list[str] = []
    for name in served.showcase.paths:
        page.goto(served.address(name))
        reached, covered = faults(page, name)
        found += covered
        # The menu alone has more, where there is one: it was opened, and so were its links seen.
        few += [f"{name}: {reached}"] if reached < 15 and name != "logout" else []
        if page.locator(".boxed").count():
            tick_some(page)
            found += faults(page, f"{name} with ticked rows")[1]
    page.context.close()
    assert not found, "\n".join(found)
    assert not few, "\n".join(few)


@pytest.mark.verify
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("width", "fingers"), WIDTHS)
def test_one_control_of_each_kind_is_clicked(
    browser: Browser, served: Served, width: int, *, fingers: bool
) -> None:
    page = opened(browser, width, fingers=fingers)
    clicked: dict[str, str] = {}
    for name in served.showcase.paths:
        page.goto(served.address(name))
        if page.locator(".boxed").count():
            tick_some(page)
        page.evaluate(LISTEN)
        for part in parts_of(page):
            for kind, number in page.evaluate(KINDS):
                control = page.locator(CONTROLS).nth(number)
                if kind in clicked or not part.evaluate(
                    "(part, one) => part.contains(one)", control.element_handle()
                ):
                    continue
                control.click(timeout=5_000)
                assert control.evaluate(IS_MET), kind
                clicked[kind] = name
    page.context.close()
    assert len(clicked) > 60, sorted(clicked)


def press(page: Page, control: Locator) -> None:
    """Press the mouse where a control is, whatever lies there."""
    at: Any = control.evaluate(POINT, "nearest")
    page.mouse.click(*at)


@pytest.mark.journey("J16")
@pytest.mark.parametrize("width", [1280, *map(in_verify, (390, 700, 900, 1100, 1600))])
def test_what_fails_is_found_ticked_and_deleted_by_the_mouse(
    browser: Browser, seeds: Seeds, width: int
) -> None:
    now = seeds.tickerq.core.clock.now()
    error = {
        "exception_type": "GatewayTimeout",
        "exception_message": "no answer",
        "function": "billing.charge",
    }
    seeds.runs({"status": TickerStatus.FAILED, "ended_at": now, **error} for _ in range(FAILURES))
    with running(create_app(seeds.tickerq, users=USERS, page_size=12)) as [(host, port)]:
        page = logged_in(browser).new_page()
        complaints = watched(page)
        page.set_viewport_size({"width": width, "height": HEIGHT})
        page.goto(f"http://{host}:{port}{BASE}/errors")
        press(page, page.get_by_role("link", name=f"{FAILURES} failed"))
        page.wait_for_url(re.compile("error_type=GatewayTimeout"))
        boxes, older = page.locator(".boxed tbody label"), page.get_by_role("link", name="Older")
        for number in (0, 1, 11):
            press(page, boxes.nth(number))
        press(page, page.get_by_role("button", name="Delete …"))
        expect(page.get_by_role("heading", name="Delete 3 runs?")).to_be_visible()
        press(page, page.get_by_role("link", name="Keep them"))
        page.wait_for_url(re.compile("/runs"))
        press(page, boxes.nth(11))
        expect(older).to_be_hidden()
        press(page, page.get_by_role("button", name="Clear", exact=True))
        expect(page.locator(".boxed input:checked")).to_have_count(0)
        press(page, older)
        expect(page.locator(".boxed tbody tr")).to_have_count(FAILURES - 12)
        press(page, boxes.first)
        press(page, page.locator(".bulk .tick"))
        press(page, page.get_by_role("button", name="Delete …"))
        expect(page.get_by_role("heading", name=f"Delete {FAILURES} runs?")).to_be_visible()
        press(page, page.get_by_role("button", name=f"Delete {FAILURES} runs"))
        expect(page.get_by_role("status")).to_contain_text("Started the bulk job “Delete runs”")
        page.context.close()
    assert complaints == []
    worked(seeds)
    [job] = seeds.tickerq.bulk.find()
    assert (job.action, job.changed, job.skipped) == ("delete", FAILURES, 0)
