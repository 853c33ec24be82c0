"""Lists as they are seen: how many rows a screen has, no bar that does nothing, boxes in each theme."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.dashboard.browsing import SCHEMES, logged_in
from tests.dashboard.conftest import BASE, PASSWORD, USERS
from tests.dashboard.running import running
from tests.dashboard.seeds import Seeds, settle
from tests.dashboard.served import Served
from tests.integration.apps import join
from tickerq_celery import TickerStatus
from tickerq_celery.enums import NodeKind
from tickerq_dashboard import create_app

# As many as the design language has on the first screen of a phone.
ROWS = 9
# Of small text, and what edges are rounded by.
TWO_LINES = 2 * 16 + 1
WHOLE = """() => [...document.querySelectorAll(".rows.cards tbody tr")].filter((row) => {
  const { top, bottom, height } = row.getBoundingClientRect();
  return height && top >= 0 && bottom <= innerHeight;
}).length"""
# All but names, schedules and notes, which are cut where they are long.
CUT = """() => [...document.querySelectorAll(".rows :is(thead th, tbody td:not(:last-child))")]
  .filter((each) => each.checkVisibility() && each.scrollWidth > each.clientWidth)
  .map((each) => each.textContent)"""
LONG = "The feed of the supplier has sent broken stock levels since Monday: ask Maria before it goes on. " * 4


@pytest.fixture
def phone(browser: Browser) -> Iterator[Page]:
    """A page of a phone, where each control is as high as a finger needs it."""
    context = browser.new_context(
        viewport={"width": 390, "height": 844},
        has_touch=True,
        is_mobile=True,
        http_credentials={"username": "admin", "password": PASSWORD},
    )
    yield context.new_page()
    context.close()


@pytest.fixture
def wide(browser: Browser) -> Iterator[Page]:
    context = logged_in(browser)
    page = context.new_page()
    page.set_viewport_size({"width": 1280, "height": 900})
    yield page
    context.close()


@pytest.fixture
def base(seeds: Seeds) -> Iterator[str]:
    """The address of a dashboard over a store of this test alone, with a live beat and a live worker."""
    seeds.now = datetime.now(UTC)
    for kind in (NodeKind.BEAT, NodeKind.WORKER):
        join(seeds.tickerq, kind)
    with running(create_app(seeds.tickerq, users=USERS)) as [(host, port)]:
        yield f"http://{host}:{port}{BASE}"
    settle()


def described(seeds: Seeds, **columns: object) -> None:
    """Store cron tickers with descriptions that are longer than a phone is wide."""
    for number in range(12):
        seeds.cron(
            function=f"fx.rates.refresh_{number}",
            description=f"Rates of the currencies of group {number} against the euro, for the price lists",
            next_run_at=seeds.now + timedelta(hours=number + 1),
            **columns,
        )


def test_nine_runs_are_on_the_first_screen_of_a_phone_below_what_is_wrong(
    phone: Page, served: Served
) -> None:
    served.showcase.beat()
    phone.goto(served.address("runs-history"))
    assert phone.locator(".health:not(.is-ok)").is_visible()
    assert phone.locator(".runs td:last-child p").count()
    assert phone.evaluate(WHOLE) >= ROWS


def test_nine_cron_tickers_with_descriptions_are_on_the_first_screen_of_a_phone(
    phone: Page, seeds: Seeds, base: str
) -> None:
    described(seeds)
    phone.goto(f"{base}/crons")
    assert phone.evaluate(WHOLE) >= ROWS
    # What narrows the list is one tap away.
    expect(phone.get_by_role("link", name="Paused")).to_be_hidden()
    phone.locator(".filters summary").tap()
    phone.get_by_role("link", name="Paused").tap()
    phone.get_by_text("No cron ticker matches").wait_for()
    assert phone.get_by_role("link", name="Drop state").is_visible()


def test_facts_of_a_run_stand_in_two_columns_on_a_phone(phone: Page, served: Served) -> None:
    phone.goto(served.address("run-failed"))
    for facts in (phone.locator(".band"), phone.locator(".facts").first):
        first, second, third, fourth = (
            each.bounding_box() or {} for each in facts.locator("> div").all()[:4]
        )
        assert first["y"] == second["y"]
        assert second["x"] > first["x"]
        assert (third["x"], fourth["x"]) == (first["x"], second["x"])


def test_what_a_beat_claimed_begins_below_its_name_on_a_phone(phone: Page, served: Served) -> None:
    served.showcase.beat()
    phone.goto(served.address("nodes"))
    beat = phone.locator(".k-note:has(.only-card)").first
    assert beat.evaluate("each => getComputedStyle(each).textAlign") == "left"


def test_the_crumb_before_a_title_stands_apart_from_it_on_a_phone(phone: Page, served: Served) -> None:
    phone.goto(served.address("pauses"))
    crumb, title = (phone.locator(each).bounding_box() or {} for each in (".crumbs", "h1"))
    assert title["x"] - crumb["x"] - crumb["width"] >= 4


def test_the_way_to_runs_with_an_error_stands_at_the_edge_of_its_panel(wide: Page, served: Served) -> None:
    wide.goto(served.address("run-failed"))
    way, panel = (wide.locator(each).bounding_box() or {} for each in (".top .aside", ".top > p:has(.aside)"))
    assert way["x"] + way["width"] == pytest.approx(panel["x"] + panel["width"], abs=1)


@pytest.mark.parametrize("page", ["phone", "wide"])
def test_no_bar_of_actions_is_seen_while_nothing_is_ticked(
    page: str, served: Served, request: pytest.FixtureRequest
) -> None:
    page: Page = request.getfixturevalue(page)
    for name in ("runs-history", "runs-now", "runs-upcoming", "crons"):
        page.goto(served.address(name))
        bar = page.locator(".list > footer .bulk")
        expect(bar).to_be_hidden()
        page.locator(".boxed tbody input").first.check()
        expect(bar).to_be_visible()
        verbs = bar.get_by_role("button").all_inner_texts()
        assert verbs[-1] == "Clear"
        assert "Delete …" not in verbs[:-2]
        bar.get_by_role("button", name="Clear").click()
        expect(bar).to_be_hidden()


def test_a_long_reason_of_a_pause_leaves_its_row_low_and_is_whole_on_its_page(
    wide: Page, seeds: Seeds, base: str
) -> None:
    zone = {"expression": "20 4,16 * * 1-5", "time_zone": "America/Argentina/Buenos_Aires"}
    seeds.cron(next_run_at=seeds.now + timedelta(days=1), **zone)
    paused = {"is_enabled": False, "paused_by": "ben", "paused_at": seeds.now}
    cron_id = seeds.cron(function="Paused", paused_reason=LONG.strip(), **paused, **zone)
    wide.goto(f"{base}/crons")
    fires, waits = (each.bounding_box() or {} for each in wide.locator(".rows tbody tr").all())
    assert waits["height"] <= fires["height"] + TWO_LINES
    wide.get_by_role("link", name="Paused").last.click()
    wide.wait_for_url(f"**/crons/{cron_id}")
    expect(wide.locator("main")).to_contain_text(LONG.strip())


def test_no_figure_and_no_head_of_a_column_is_cut(wide: Page, seeds: Seeds, base: str) -> None:
    seeds.run(
        status=TickerStatus.FAILED,
        started_at=seeds.now - timedelta(seconds=3_700),
        elapsed=timedelta(seconds=3_599),
        execution_time=seeds.now - timedelta(seconds=7_299),
        ended_at=seeds.now - timedelta(seconds=101),
        exception_type="NoStock",
    )
    seeds.run(status=TickerStatus.FAILED, started_at=seeds.now, retries=5, retry_count=5)
    seeds.cron(next_run_at=seeds.now - timedelta(seconds=101))
    for path in ("/runs", "/crons"):
        wide.goto(base + path)
        assert wide.evaluate(CUT) == [], path


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_box_that_is_not_ticked_is_as_empty_as_its_ground_in_either_theme(
    wide: Page, served: Served, scheme: str
) -> None:
    look = "each => [getComputedStyle(each).appearance, getComputedStyle(each).backgroundColor]"
    wide.emulate_media(color_scheme=scheme)
    wide.goto(served.address("runs-history"))
    box = wide.locator(".boxed tbody input").first
    ground = wide.locator(".panel, .field").first.evaluate("each => getComputedStyle(each).backgroundColor")
    assert box.evaluate(look) == ["none", ground]
    box.check()
    assert box.evaluate(look)[1] != ground
    # In colours of one's own it is the browser's, which has them.
    wide.emulate_media(forced_colors="active")
    assert box.evaluate(look)[0] != "none"
