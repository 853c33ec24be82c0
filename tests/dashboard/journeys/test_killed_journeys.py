"""A person watches the overview while a beat and a worker are killed, and while others take their place."""

from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.acceptance.jobs import Jobs
from tests.acceptance.waiting import wait_until
from tests.acceptance.warm import WarmServer
from tests.dashboard.browsing import logged_in, watched
from tests.dashboard.conftest import BASE, USERS
from tests.dashboard.journeys.conftest import REFRESHED
from tests.dashboard.running import running
from tickerq_dashboard import create_app

pytestmark = pytest.mark.verify


@pytest.mark.journey("J3")
@pytest.mark.acceptance
@pytest.mark.parametrize(("store_url", "broker_url"), [("sqlite", "fs")], indirect=True)
def test_a_beat_and_a_worker_that_are_killed_are_named_within_half_a_minute_until_others_are_there(
    browser: Browser, tmp_path: Path, namespace: str, warm_server: WarmServer, store_url: str, broker_url: str
) -> None:
    jobs = Jobs(tmp_path, store_url=store_url, broker_url=broker_url, namespace=namespace)
    jobs.launch = warm_server.launch
    with closing(jobs), running(create_app(jobs.tickerq, users=USERS)) as [(host, port)]:
        report = jobs.tickerq.health.report
        processes = [jobs.beat(), jobs.worker()]
        wait_until(lambda: report().is_well, lambda: f"{report()}\n{jobs.logs()}")
        names = jobs.node_names("beat") | jobs.node_names("worker")
        page = logged_in(browser).new_page()
        complaints = watched(page)
        page.goto(f"http://{host}:{port}{BASE}/")
        banner = page.get_by_label("Health")
        expect(banner).to_contain_text("All well", timeout=REFRESHED)
        page.evaluate("window.wasHere = true")
        for process in processes:
            process.kill()
        expect(banner.locator("p").first).to_contain_text("is dead", timeout=REFRESHED)
        for name in names:
            expect(banner.locator("p.at-failed", has_text=name)).to_contain_text("is dead", timeout=REFRESHED)
        expect(banner.get_by_role("link", name="What to do").first).to_be_visible()
        jobs.beat()
        jobs.worker()
        expect(banner).to_contain_text("All well", timeout=REFRESHED)
        assert page.evaluate("window.wasHere")
        assert complaints == []
        page.context.close()
