"""The pages in a real browser: nothing overflows, nothing is blocked, and a refresh takes nothing away."""

import itertools
import re
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Route

from tests.dashboard.addresses import pages_of_the_route_table, rows_of
from tests.dashboard.browsing import SCHEMES, logged_in, watched
from tests.dashboard.conftest import BASE, USERS
from tests.dashboard.refreshing import refresh, stop_clock, wait_for_lead
from tests.dashboard.seeds import Seeds
from tests.dashboard.served import Served, serving
from tests.thoroughness import in_verify
from tickerq_celery import TickerStatus
from tickerq_dashboard.show.durations import age

# The most crowded, and the one with the longest texts.
QUICK = ("overview", "run-failed")
# In milliseconds: one refresh of a page comes due in it, each four to six seconds after the one before it.
LESS_THAN_TWO = 7_900
CUT = "all => all.map((each) => [each.textContent, each.scrollHeight > each.clientHeight])"

CONTRAST = """() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgb = (color) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const color = rgb(getComputedStyle(at).backgroundColor);
      if (color[3] === 255) return color;
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const node of document.querySelectorAll("body *")) {
    const says = [...node.childNodes].some((each) => each.nodeType === 3 && each.data.trim());
    if (!says || !node.checkVisibility()) continue;
    const style = getComputedStyle(node);
    const ink = node instanceof SVGElement ? style.fill : style.color;
    const [one, two] = [light(rgb(ink)), light(behind(node))];
    const ratio = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
    if (ratio < 4.5) poor.push(`${node.getAttribute("class") || node.tagName}: ${ratio.toFixed(2)}`);
  }
  return poor;
}"""


def check(browser: Browser, served: Served, name: str, widths: tuple[int, ...]) -> None:
    context = logged_in(browser)
    page = context.new_page()
    complaints = watched(page)
    page.goto(served.address(name))
    page.locator("details:not(.menu):not(.more)").evaluate_all(
        "all => all.forEach((each) => { each.open = true })"
    )
    for width, scheme in itertools.product(widths, SCHEMES):
        page.set_viewport_size({"width": width, "height": 860})
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(CONTRAST) == [], (width, scheme)
    expected = ["404"] if name == "missing" else []
    assert ["404" if "404" in each else each for each in complaints] == expected
    context.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_of_a_long_name_in_the_side_bar_the_role_is_whole(
    browser: Browser, served: Served, width: int
) -> None:
    context = logged_in(browser)
    page = context.new_page()
    page.set_viewport_size({"width": width, "height": 860})
    page.goto(served.address("settings"))
    if width < 1100:
        page.locator(".menu > summary").click()
    cut = "each => each.scrollWidth > each.clientWidth"
    who, role = page.locator(".foot .who"), page.locator(".foot p .v")
    who.evaluate("each => { each.textContent = 'somebody.with.a.long.name@operations.department.example' }")
    role.evaluate("each => { each.textContent = 'operator' }")
    assert (who.evaluate(cut), role.evaluate(cut)) == (True, False)
    bar, last = page.locator(".foot").bounding_box(), page.locator(".foot p a").bounding_box()
    assert bar is not None
    assert last is not None
    assert last["x"] + last["width"] <= bar["x"] + bar["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()


@pytest.mark.parametrize("name", QUICK)
def test_a_page_fits_its_width_and_breaks_no_rule(browser: Browser, served: Served, name: str) -> None:
    check(browser, served, name, (390, 1280))


@pytest.mark.journey("J23")
@pytest.mark.verify
def test_every_page_fits_every_width_and_breaks_no_rule(browser: Browser, served: Served) -> None:
    for name in served.showcase.paths:
        check(browser, served, name, (320, 390, 700, 1000, 1280, 1900))


def test_the_script_writes_an_age_as_the_server_does(browser: Browser, served: Served) -> None:
    context = logged_in(browser)
    # A refresh would bring back what the server has written.
    stop_clock(context)
    page = context.new_page()
    page.goto(served.address("runs-history"))
    shown = page.locator("time[data-v=ago]")
    spans = (8_808, 2_700, 119, 90_000, 5)
    for at, seconds in enumerate(spans):
        shown.nth(at).evaluate(
            "(node, ago) => { node.dateTime = new Date(Date.now() - 1000 * ago).toISOString(); }",
            seconds,
        )
    page.clock.run_for(1_000)
    for at, seconds in enumerate(spans):
        assert shown.nth(at).text_content() == f"{age(timedelta(seconds=seconds + 1))} ago"
    context.close()


@pytest.mark.parametrize("width", [1280, 1400, 1920])
@pytest.mark.parametrize("name", ["runs-history", "errors"])
def test_a_reason_is_read_whole_and_its_row_is_as_high_as_the_others(
    browser: Browser, served: Served, name: str, width: int
) -> None:
    context = logged_in(browser)
    page = context.new_page()
    page.set_viewport_size({"width": width, "height": 860})
    page.goto(served.address(name))
    heights = page.locator("tbody tr").evaluate_all("all => all.map((each) => each.offsetHeight)")
    texts = page.locator("td > p").evaluate_all(CUT)
    room = page.locator("td > p").first.evaluate("node => node.clientWidth")
    context.close()
    assert max(heights) <= 37
    assert max(len(text) for text, _ in texts) > 35
    assert [text for text, is_cut in texts if is_cut] == []
    # On a wide page what the other columns leave free.
    assert room >= (550 if width == 1920 else 200)


@pytest.mark.parametrize("width", [1280, 390])
def test_the_table_of_attempts_has_room_for_their_numbers(
    browser: Browser, served: Served, width: int
) -> None:
    context = logged_in(browser)
    page = context.new_page()
    page.set_viewport_size({"width": width, "height": 860})
    page.goto(served.address("run-failed"))
    table = page.get_by_role("region", name="Attempts as a table", include_hidden=True)
    table.evaluate("each => { each.closest('details').open = true }")
    numbers = table.locator("tbody th")
    cut = numbers.evaluate_all(
        "all => all.map((each) => [each.textContent, each.scrollWidth > each.clientWidth])"
    )
    context.close()
    assert [text.split()[0] for text, _ in cut] == ["Attempt"] * len(cut)
    assert len(cut) > 1
    assert [text for text, is_cut in cut if is_cut] == []


@pytest.mark.parametrize("width", [1280, 1600])
def test_the_list_of_errors_shows_what_an_error_said_in_two_lines(
    browser: Browser, served: Served, width: int
) -> None:
    context = logged_in(browser)
    page = context.new_page()
    page.set_viewport_size({"width": width, "height": 860})
    page.goto(served.address("errors"))
    said = page.locator(".errors .said > p", has_text="no answer within 30 s (customer 1034)")
    height = said.evaluate("node => node.clientHeight")
    [[_, is_cut]] = said.evaluate_all(CUT)
    context.close()
    assert 0 < height <= 36
    assert not is_cut


def test_on_a_phone_the_list_of_cron_tickers_says_how_each_ended_last(
    browser: Browser, served: Served
) -> None:
    context = logged_in(browser)
    page = context.new_page()
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(served.address("crons"))
    ends = page.locator(".crons td > a").evaluate_all("all => all.map((each) => each.checkVisibility())")
    context.close()
    assert len(ends) > 3
    assert all(ends)


def test_on_a_phone_the_starts_of_a_week_are_whole_numbers(browser: Browser, served: Served) -> None:
    context = logged_in(browser)
    page = context.new_page()
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(served.address("upcoming") + "?hours=168")
    starts = page.locator(".lanes td.figure").evaluate_all(
        "all => all.map((each) => [each.textContent, each.scrollWidth > each.clientWidth])"
    )
    # The day of the axis that stands at the edge of the drawing.
    label = page.locator(".lanes thead text:visible").first
    is_whole = label.evaluate("""each => {
      each.setAttribute("x", "0");
      each.scrollIntoView({ block: "center" });
      const { left, top, bottom } = each.getBoundingClientRect();
      return document.elementFromPoint(left + 2, (top + bottom) / 2) === each;
    }""")
    context.close()
    assert max(len(text) for text, _ in starts) >= len("20,160")
    assert [text for text, is_cut in starts if is_cut] == []
    assert is_whole


def test_of_a_description_that_is_read_from_the_right_the_end_is_cut_and_not_the_beginning(
    browser: Browser, seeds: Seeds
) -> None:
    seeds.run(status=TickerStatus.DONE, description="\u0645\u0628\u064a\u0639\u0627\u062a " * 20)
    with serving(seeds, BASE, USERS) as served:
        context = logged_in(browser)
        page = context.new_page()
        page.set_viewport_size({"width": 390, "height": 844})
        page.goto(f"{served.base}/runs?function=SendWelcomeEmail")
        begins, ends = page.locator(".runs th > p").evaluate("""each => {
          const first = document.createRange();
          first.setStart(each.firstChild, 0);
          first.setEnd(each.firstChild, 1);
          return [first.getBoundingClientRect().right, each.getBoundingClientRect().right];
        }""")
        context.close()
    assert begins <= ends + 1


def test_every_page_of_the_route_table_is_among_those_that_are_looked_at(served: Served) -> None:
    looked_at = rows_of(served.app, BASE, served.showcase.paths.values())
    assert pages_of_the_route_table() - looked_at == set()


def test_the_overview_is_one_screen_and_a_phone_answers_first_whether_all_is_well(
    browser: Browser, seeds: Seeds
) -> None:
    # Over rows of now: some minutes later there are runs that are overdue, which the banner names, too.
    with serving(seeds, BASE, USERS) as served:
        served.showcase.beat()
        context = logged_in(browser)
        page = context.new_page()
        page.set_viewport_size({"width": 1280, "height": 900})
        page.goto(served.address("overview"))
        assert page.evaluate("document.documentElement.scrollHeight") <= 900
        page.set_viewport_size({"width": 390, "height": 844})
        health = page.locator(".health").bounding_box()
        numbers = page.locator(".tiles").bounding_box()
        context.close()
    assert health is not None
    assert numbers is not None
    assert health["y"] < 200
    assert numbers["y"] + numbers["height"] < 844


@pytest.mark.journey("J20")
def test_the_pages_are_complete_without_script(browser: Browser, served: Served) -> None:
    context = logged_in(browser, script=False)
    page = context.new_page()
    page.goto(served.address("runs-history"))
    page.get_by_text("Filter", exact=True).click()
    page.get_by_label("Failed", exact=True).check()
    page.get_by_role("button", name="Show runs").click()
    page.get_by_role("link", name="charge_card").first.click()
    page.get_by_text("Whole traceback of attempt 4").click()
    page.get_by_text("R = retval").first.wait_for(state="visible")
    dark = page.get_by_label("Dark").last
    dark.check()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(15, 20, 25)"
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Cron tickers").click()
    page.get_by_role("link", name="nightly_export").click()
    page.get_by_role("heading", name="Next 10").wait_for(state="visible")
    context.close()


@pytest.mark.journey("J19")
@pytest.mark.parametrize("times", [1, in_verify(3)])
def test_a_refresh_keeps_focus_open_elements_and_half_typed_values(
    browser: Browser, served: Served, times: int
) -> None:
    context = logged_in(browser)
    page = context.new_page()
    complaints = watched(page)
    stop_clock(context)
    page.goto(served.address("runs-history"))
    wait_for_lead(page)
    page.get_by_text("Filter", exact=True).click()
    field = page.get_by_label("Tag", exact=True)
    field.fill("half ty")
    box = page.get_by_label("Skipped")
    box.check()
    field.focus()
    page.evaluate("document.querySelector('.rows tbody tr').wasHere = true")
    for name in (f"new_{number}_of_{times}" for number in range(times)):
        served.showcase.seeds.run(
            function=f"brand.{name}",
            status=TickerStatus.DONE,
            ended_at=served.showcase.seeds.tickerq.core.clock.now(),
        )
        refresh(page, page.get_by_role("link", name=name).is_visible)
        assert field.input_value() == "half ty"
        assert box.is_checked()
        assert field.evaluate("node => node === document.activeElement")
        assert page.locator("details.more").get_attribute("open") is not None
    assert page.evaluate("[...document.querySelectorAll('tr')].some((row) => row.wasHere)")
    assert complaints == []
    context.close()


@pytest.mark.journey("J19")
def test_a_refresh_that_fails_says_so_and_leaves_the_page(browser: Browser, served: Served) -> None:
    context = logged_in(browser)
    page = context.new_page()
    stop_clock(context)
    page.goto(served.address("runs-history"))
    wait_for_lead(page)
    rows = page.locator(".rows tbody tr").count()
    fresh = page.locator("[data-v=fresh]")
    context.set_offline(True)
    refresh(page, lambda: "could not refresh" in fresh.inner_text())
    assert page.locator(".rows tbody tr").count() == rows
    context.set_offline(False)
    refresh(page, lambda: "updated" in fresh.inner_text())
    context.close()


@pytest.mark.journey("J19")
@pytest.mark.verify
def test_a_reader_pauses_the_refreshing_and_a_hidden_page_asks_for_nothing(
    browser: Browser, served: Served
) -> None:
    context = logged_in(browser)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    stop_clock(context)
    page.goto(served.address("runs-history"))
    switch = page.locator(".side").get_by_label("Refresh by itself")
    page.keyboard.press("p")
    assert not switch.is_checked()
    page.clock.run_for(60_000)
    page.get_by_text("ago, paused").wait_for()
    page.reload()
    assert not switch.is_checked()
    asked.clear()
    page.clock.run_for(60_000)
    assert asked == []
    switch.check()
    wait_for_lead(page)
    page.clock.run_for(LESS_THAN_TWO)
    page.get_by_text(re.compile(r"updated \d.s ago$")).wait_for()
    assert len(asked) == 1
    page.evaluate("Object.defineProperty(document, 'hidden', { value: true, configurable: true })")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.clock.run_for(60_000)
    assert len(asked) == 1
    context.close()


@pytest.mark.journey("J19")
@pytest.mark.verify
def test_a_page_that_is_hidden_while_it_asks_asks_no_more(browser: Browser, served: Served) -> None:
    context = logged_in(browser)
    page = context.new_page()
    waiting: list[Route] = []

    def hold(route: Route) -> None:
        waiting.append(route)

    stop_clock(context)
    page.goto(served.address("runs-history"))
    wait_for_lead(page)
    page.route("**/runs", hold)
    with page.expect_request("**/runs"):
        page.clock.run_for(LESS_THAN_TWO)
    page.locator("#live[aria-busy]").wait_for()
    page.evaluate("Object.defineProperty(document, 'hidden', { value: true })")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    [first] = waiting
    first.continue_()
    page.locator("#live:not([aria-busy])").wait_for()
    page.clock.run_for(60_000)
    assert page.locator("#live[aria-busy]").count() == 0
    assert waiting == [first]
    context.close()
