"""A person with a phone, with large letters, with colours of their own, and with a sheet of paper."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.dashboard.browsing import logged_in, watched
from tests.dashboard.conftest import PASSWORD
from tests.dashboard.served import Served

pytestmark = pytest.mark.verify
LOOKED_AT = ("overview", "runs-filtered", "run-failed")
# Links in a text are as high as its lines; the others stand for themselves.
SMALL = """() => {
  const controls = [
    "button, summary, select, textarea, input:not([type=hidden], [type=checkbox], [type=radio])",
    "label:has([type=checkbox], [type=radio]), nav a, a.btn, a.aside, .ways a, .crumbs a, .brand, .foot a",
    ".chip a, .legend a, .next a, .rows tbody tr:has(th a.fn)",
  ];
  return [...document.querySelectorAll(controls)]
    .filter((each) => each.checkVisibility() && !each.closest(".vh"))
    .map((each) => [each.className, each.textContent.trim(), each.getBoundingClientRect().height])
    .filter(([_class, _text, height]) => height < 43.5);
}"""
PALE = """() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const light = (color) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data.slice(0, 3)].map((c) => c / 255)
      .map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
      .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
  };
  return [...document.querySelectorAll("body *")]
    .filter((each) => [...each.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
    .filter((each) => each.checkVisibility() && !each.closest(".vh"))
    .filter((each) => {
      const style = getComputedStyle(each);
      return 1.05 / (light(each instanceof SVGElement ? style.fill : style.color) + 0.05) < 4.5;
    }).map((each) => [each.tagName, each.className, each.textContent.trim()]);
}"""
CUT = """() => [...document.querySelectorAll(".rows :is(th, td, p, .fn b), pre, .error-text")]
  .filter((each) => each.checkVisibility() && getComputedStyle(each).overflow !== "visible")
  .filter((each) => each.scrollWidth > each.clientWidth + 1 || each.scrollHeight > each.clientHeight + 1)
  .map((each) => each.textContent)"""
# What a column says has some room, or as much as it needs, and its head is not cut.
NARROW = """() => [...document.querySelectorAll(".rows thead th")]
  .filter((each) => each.checkVisibility() && each.textContent.trim() && !each.querySelector(".vh"))
  .filter((each) => each.clientWidth < (each.closest(".exceptions") ? 0 : 70)
    || each.scrollWidth > each.clientWidth + 1)
  .map((each) => [each.textContent.trim(), each.clientWidth])"""
GROUND = "node => getComputedStyle(node).backgroundColor"
SIDEWAYS = "document.documentElement.scrollWidth > innerWidth"


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = logged_in(browser)
    page = context.new_page()
    complaints = watched(page)
    yield page
    assert complaints == []
    context.close()


def open_all(page: Page) -> None:
    page.locator("details").evaluate_all("all => all.forEach((each) => { each.open = true })")


@pytest.mark.journey("J23")
def test_all_that_a_finger_meets_is_44_pixels_high_and_a_row_is_met_anywhere(
    browser: Browser, served: Served
) -> None:
    context = browser.new_context(
        viewport={"width": 390, "height": 844},
        has_touch=True,
        is_mobile=True,
        http_credentials={"username": "admin", "password": PASSWORD},
    )
    page = context.new_page()
    for name in (*LOOKED_AT, "crons", "cron-edit", "upcoming", "run-retry"):
        page.goto(served.address(name))
        open_all(page)
        assert (name, page.evaluate(SMALL)) == (name, [])
        assert not page.evaluate(SIDEWAYS), name
    page.goto(served.address("runs-filtered"))
    row = page.locator(".rows tbody tr", has_text="charge_card").first
    box = row.get_by_role("checkbox")
    box.tap()
    expect(box).to_be_checked()
    edges = row.bounding_box()
    assert edges is not None
    page.touchscreen.tap(edges["x"] + edges["width"] - 4, edges["y"] + edges["height"] - 4)
    page.wait_for_url(re.compile(r"/runs/[0-9a-f-]{36}"))
    page.get_by_label("Menu").tap()
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Errors").tap()
    page.wait_for_url(re.compile("/errors$"))
    context.close()


@pytest.mark.journey("J23")
def test_at_twice_the_size_nothing_stands_beside_the_page(browser: Browser, served: Served) -> None:
    # As a browser's own zoom does it: half the pixels, each twice as large.
    context = browser.new_context(
        viewport={"width": 640, "height": 450},
        device_scale_factor=2,
        http_credentials={"username": "admin", "password": PASSWORD},
    )
    page = context.new_page()
    for name in LOOKED_AT:
        page.goto(served.address(name))
        open_all(page)
        assert not page.evaluate(SIDEWAYS), name
        assert (name, page.evaluate(NARROW)) == (name, [])
        expect(page.get_by_role("heading", level=1)).to_be_in_viewport()
    context.close()


@pytest.mark.journey("J23")
def test_in_colours_of_ones_own_what_is_chosen_and_how_it_stands_is_still_seen(
    page: Page, served: Served
) -> None:
    page.emulate_media(forced_colors="active")
    for name in LOOKED_AT:
        page.goto(served.address(name))
        ground = page.locator("body").evaluate(GROUND)
        for group in (".pages", ".tabs", ".side .seg", "main .seg"):
            for chosen in page.locator(f"{group} :is([aria-current], label:has(:checked))").all():
                assert chosen.evaluate(GROUND) not in {ground, "rgba(0, 0, 0, 0)"}, (name, group)
        inks = page.locator("main svg:not(.chart)").evaluate_all(
            "all => all.map((each) => getComputedStyle(each).color)"
        )
        assert inks
        assert ground not in inks
        edges = page.locator("main .btn").evaluate_all(
            "all => all.map((each) => getComputedStyle(each).borderTopColor)"
        )
        assert ground not in edges


@pytest.mark.journey("J23")
def test_on_paper_the_dark_theme_is_black_on_white_and_nothing_is_cut(page: Page, served: Served) -> None:
    page.set_viewport_size({"width": 718, "height": 1000})
    for name in LOOKED_AT:
        page.goto(served.address(name))
        page.locator(".theme-dark").first.evaluate("node => { node.checked = true }")
        page.locator("main .fold").evaluate_all("all => all.forEach((each) => { each.open = true })")
        shown = page.locator("main :is(h1, h2, .health p, .tile, tbody tr, .frames li)")
        before = shown.evaluate_all("all => all.filter((each) => each.checkVisibility()).length")
        page.emulate_media(media="print", color_scheme="dark")
        assert shown.evaluate_all("all => all.filter((each) => each.checkVisibility()).length") == before
        assert (name, page.evaluate(PALE)) == (name, [])
        assert (name, page.evaluate(CUT)) == (name, [])
        assert (name, page.evaluate(NARROW)) == (name, [])
        assert page.evaluate("document.documentElement.scrollWidth") <= 718
        expect(page.locator(".side")).to_be_hidden()
        page.emulate_media(media="screen")
