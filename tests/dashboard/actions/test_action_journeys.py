"""Actions in a real browser: what is ticked stays ticked, and all works without script."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.dashboard.browsing import logged_in, watched
from tests.dashboard.conftest import BASE, QUICK_HASH
from tests.dashboard.running import running
from tests.dashboard.seeds import Seeds
from tickerq_celery import TickerStatus
from tickerq_dashboard import create_app

pytestmark = pytest.mark.verify


@pytest.fixture
def base(seeds: Seeds) -> Iterator[str]:
    app = create_app(seeds.tickerq, users={"admin": (QUICK_HASH, "admin")})
    with running(app) as [(host, port)]:
        yield f"http://{host}:{port}{BASE}"


@pytest.mark.journey("J9")
@pytest.mark.parametrize("script", [True, False])
def test_many_are_retried_and_the_job_is_stopped(
    browser: Browser, base: str, seeds: Seeds, *, script: bool
) -> None:
    runs = [seeds.run(status=TickerStatus.FAILED) for _ in range(3)]
    page = logged_in(browser, script=script).new_page()
    complaints = watched(page)
    page.goto(f"{base}/runs?status=failed")
    for run_id in runs[:2]:
        page.locator(f'input[value="{run_id}"]').check()
    seen = page.locator('.bulk [name="as_of"]').input_value()
    if script:
        seeds.run(status=TickerStatus.FAILED)
        page.locator("tbody tr").nth(3).wait_for(timeout=20_000)
        assert page.locator('input[name="ids"]:checked').count() == 2
        assert page.locator('.bulk [name="as_of"]').input_value() > seen
    page.get_by_role("button", name="Retry …").click()
    page.get_by_role("heading", name="Retry 2 runs?").wait_for()
    page.get_by_label("Reason").fill("the gateway is back")
    page.get_by_role("button", name="Retry 2 runs").click()
    page.get_by_role("status").get_by_text("Started the bulk job").wait_for()
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("status").get_by_text("Stopped the bulk job").wait_for()
    [job] = seeds.tickerq.bulk.find()
    assert (job.total, job.state, job.reason) == (2, "stopped", "the gateway is back")
    assert complaints == []
    page.context.close()


@pytest.mark.journey("J20")
@pytest.mark.parametrize("script", [True, False])
def test_a_tag_is_paused_from_a_list_and_resumed_from_where_that_is_said(
    browser: Browser, base: str, seeds: Seeds, *, script: bool
) -> None:
    seeds.run(tags=["eu"])
    page = logged_in(browser, script=script).new_page()
    complaints = watched(page)
    page.goto(f"{base}/runs/upcoming?tag=eu")
    page.get_by_role("link", name="Pause tag …").click()
    page.get_by_label("Reason").fill("a move")
    page.get_by_role("button", name="Pause tag").click()
    page.get_by_role("status").get_by_text("Paused tag").wait_for()
    assert seeds.tickerq.pauses.find()[0].reason == "a move"
    page.get_by_role("main").get_by_role("link", name="Resume tag eu …").click()
    page.get_by_role("button", name="Resume tag").click()
    page.get_by_role("status").get_by_text("Resumed tag").wait_for()
    assert seeds.tickerq.pauses.find() == ()
    assert complaints == []
    page.context.close()
