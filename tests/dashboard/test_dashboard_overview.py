"""The overview in a real browser: on a laptop's first screen, with a line for each error, nothing cut."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page

from tests.dashboard.browsing import logged_in
from tests.dashboard.refreshing import refresh, stop_clock, wait_for_lead
from tests.dashboard.seeds import settle
from tests.dashboard.served import Served
from tests.tables import nodes
from tickerq_celery import TickerStatus
from tickerq_celery.enums import NodeKind

LAPTOP = {"width": 1280, "height": 900}
LONG = "billing.invoices.rebuild_invoice_index"
KINDS = (
    "ValueError", "SoftTimeLimitExceeded", "HTTPError", "ConnectionResetError", "SMTPServerDisconnected",
)  # fmt: skip


@pytest.fixture(scope="module")
def failing(served: Served) -> Served:
    """The showcase with more kinds of failures than the page has rows for, some of them new."""
    seeds, now = served.showcase.seeds, datetime.now(UTC)
    for number, error in enumerate(KINDS):
        for at in (now - timedelta(hours=number, minutes=1), now - timedelta(hours=30)):
            ended: dict[str, Any] = {"status": TickerStatus.FAILED, "ended_at": at, "execution_time": at}
            is_new = number == 0 and at < now - timedelta(days=1)
            seeds.run(function=LONG, exception_type="shop.Old" if is_new else f"shop.{error}", **ended)
    return served


def opened(browser: Browser, served: Served, width: int) -> Page:
    """Open the overview with all read anew, as after an operation."""
    page = logged_in(browser).new_page()
    page.set_viewport_size({**LAPTOP, "width": width})
    page.goto(f"{served.address('overview')}?did={uuid4()}")
    return page


def lose_the_beats(served: Served) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=2)
    beats = nodes.update().where(nodes.c.kind == NodeKind.BEAT.value)
    lost = beats.values(seen_at=long_ago, clock_at=long_ago)
    served.showcase.seeds.tickerq.core.write(lambda tx: tx.execute(lost))


@pytest.mark.parametrize("has_beat", [True, False], ids=["warnings", "no beat"])
def test_the_nodes_are_on_the_first_screen_of_a_laptop_and_no_warning_is_on_red_ground(
    browser: Browser, failing: Served, has_beat: bool
) -> None:
    failing.showcase.beat()
    if not has_beat:
        lose_the_beats(failing)
    page = opened(browser, failing, LAPTOP["width"])
    lines = page.locator(".health > p").evaluate_all(
        "all => all.map((each) => [each.className, getComputedStyle(each).backgroundColor])"
    )
    last = page.locator(".nodes a").last.bounding_box()
    page.context.close()
    failing.showcase.beat()
    # On a busy machine cron tickers of the showcase become overdue.
    assert {css for css, _ in lines} >= ({"at-warning"} if has_beat else {"at-failed", "at-warning"})
    assert len(dict(lines)) == len(set(map(tuple, lines))) == len({ground for _, ground in lines})
    assert last is not None
    assert last["y"] + last["height"] <= LAPTOP["height"]


@pytest.mark.parametrize("width", [1280, 1920])
def test_an_error_is_one_line_with_a_spark_whose_names_are_whole(
    browser: Browser, failing: Served, width: int
) -> None:
    failing.showcase.beat()
    page = opened(browser, failing, width)
    rows = page.locator(".exceptions tbody tr")
    names = page.locator(".exception > a").all_inner_texts()
    heights = rows.evaluate_all("all => all.map((each) => each.offsetHeight)")
    sparks = page.locator(".exceptions .bars path").evaluate_all(
        "all => all.map((each) => each.getBoundingClientRect().height)"
    )
    cut = page.locator(".exception > a, .exceptions .fn > b, .next .fn > b").evaluate_all(
        "all => all.filter((each) => each.scrollWidth > each.clientWidth).map((each) => each.textContent)"
    )
    news = page.locator("tr:has(.new) .exception > a").all_inner_texts()
    page.context.close()
    assert len(names) == len(set(names)) == len(heights) == len(sparks) >= 5
    assert max(heights) <= 37
    assert min(sparks) > 10
    assert cut == []
    assert set(KINDS) & set(news) == {KINDS[0]} & set(names)


@pytest.mark.parametrize(
    ("width", "bars", "said"),
    [(1280, 49, "each half hour"), (800, 25, "each hour"), (390, 13, "each 2 hours")],
)
def test_a_day_has_as_many_bars_as_there_is_room_for(
    browser: Browser, failing: Served, width: int, bars: int, said: str
) -> None:
    page = opened(browser, failing, width)
    drawn = page.locator("svg.chart:visible > a").count()
    caption = page.locator(".cap:has(.at-wide)").inner_text()
    page.context.close()
    assert (drawn, caption.split(";")[0]) == (bars, f"ended {said}")


def test_the_side_bar_counts_what_its_pages_list(browser: Browser, failing: Served) -> None:
    page = opened(browser, failing, LAPTOP["width"])
    settle()
    page.reload()
    counts = {
        page_: page.locator(f".pages a[href$='/{page_}'] .n").inner_text()
        for page_ in ("crons", "functions", "nodes", "errors")
    }
    page.context.close()
    assert counts["crons"] == "7"
    assert counts["nodes"] == "5"
    assert int(counts["functions"]) >= 10
    assert counts["errors"].endswith(" new")


def test_the_side_bar_counts_on_as_a_page_refreshes_itself(browser: Browser, failing: Served) -> None:
    context = logged_in(browser)
    stop_clock(context)
    page = context.new_page()
    page.set_viewport_size(LAPTOP)
    page.goto(failing.address("nodes"))
    settle()
    page.reload()
    wait_for_lead(page)
    count = page.locator(".pages a[href$='/nodes'] .n")
    count.evaluate("node => { node.textContent = 'of before' }")
    refresh(page, lambda: count.inner_text() == "5")
    context.close()
