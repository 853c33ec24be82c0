"""A person watches the banner of the overview, and mends what it names, the worst first."""

import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.dashboard.browsing import logged_in, watched
from tests.dashboard.conftest import BASE, USERS
from tests.dashboard.journeys.conftest import REFRESHED
from tests.dashboard.running import running
from tests.dashboard.seeds import Seeds
from tests.inner import FunctionLimits
from tests.integration.apps import join
from tests.tables import nodes, tickers
from tickerq_celery import TickerStatus
from tickerq_celery.enums import NodeKind
from tickerq_dashboard import create_app

pytestmark = pytest.mark.verify
# Alive for as long as the test takes.
CALM = {"heartbeat": timedelta(hours=1), "lease": timedelta(hours=3)}
# What is wrong, where it leads, and how it is mended.
Wrong = tuple[str, str, Callable[[], object]]


def changed(seeds: Seeds, statement: Any) -> None:
    seeds.tickerq.core.write(lambda tx: tx.execute(statement))


def beat(seeds: Seeds, node: UUID, ago: timedelta = timedelta()) -> None:
    """Let a node have beaten, and ticked if it is a beat, so long ago."""
    then = seeds.tickerq.core.clock.now() - ago
    beaten = nodes.update().where(nodes.c.id == node)
    changed(seeds, beaten.values(seen_at=then, clock_at=then, ticked_at=then, pruned_at=then))


def worker(seeds: Seeds, name: str, *functions: str) -> UUID:
    has = {
        "functions": dict.fromkeys(functions, FunctionLimits()),
        "definitions": dict.fromkeys(functions, "1"),
    }
    return join(seeds.tickerq, NodeKind.WORKER, name=name, queues=["celery"], **has, **CALM)


def all_wrong(seeds: Seeds, of_beats: UUID) -> Sequence[Wrong]:
    """Let a beat and a worker be dead, a run overdue, and another one without a function; the worst first."""
    now = seeds.tickerq.core.clock.now()
    hours_ago, yesterday = now - timedelta(hours=9), now - timedelta(days=1)
    worker(seeds, "worker-1", "Send")
    dead = worker(seeds, "worker-2", "Send")
    running = {"status": TickerStatus.IN_PROGRESS, "running_on": dead, "claim_no": 1, "due_at": None}
    seeds.run(function="Send", started_at=yesterday, **running)
    late = seeds.run(function="Send", execution_time=hours_ago)
    held = {"held_for": "function", "hold_key": "Gone", "held_since": hours_ago}
    gone = seeds.run(function="Gone", execution_time=hours_ago, **held)
    for each in (of_beats, dead):
        beat(seeds, each, timedelta(days=1))

    def end(run: UUID) -> None:
        done = {"status": TickerStatus.DONE, "ended_status": TickerStatus.DONE, "ended_at": now}
        own = tickers.update().where(tickers.c.id == run)
        changed(seeds, own.values(**done, due_at=None, held_for=None, hold_key=None, held_since=None))

    def run_gone() -> None:
        worker(seeds, "worker-3", "Gone")
        end(gone)

    return (
        ("beat-1 is dead", "/nodes", partial(beat, seeds, of_beats)),
        ("1 run is overdue", "/runs", partial(end, late)),
        ("worker-2 is dead", "/nodes", partial(beat, seeds, dead)),
        ("no live worker has this function", "/functions", run_gone),
    )


@pytest.mark.journey("J3")
def test_the_banner_names_what_is_worst_first_and_each_leaves_it_once_it_is_mended(
    browser: Browser, seeds: Seeds
) -> None:
    of_beats = join(seeds.tickerq, NodeKind.BEAT, name="beat-1", **CALM)
    wrong = all_wrong(seeds, of_beats)
    with running(create_app(seeds.tickerq, users=USERS)) as [(host, port)]:
        page = logged_in(browser).new_page()
        complaints = watched(page)
        page.goto(f"http://{host}:{port}{BASE}/health")
        for said, _, _ in wrong:
            expect(page.get_by_role("main").get_by_text(said).first).to_be_visible()
        page.goto(f"http://{host}:{port}{BASE}/")
        page.evaluate("window.wasHere = true")
        banner = page.get_by_label("Health")
        for said, leads_to, mend in wrong:
            line = banner.get_by_role("paragraph").filter(has_text=said).first
            expect(line).to_be_visible(timeout=REFRESHED)
            assert is_ordered(banner)
            expect(line.get_by_role("link").first).to_have_attribute("href", re.compile(leads_to))
            mend()
            expect(banner).not_to_contain_text(said, timeout=REFRESHED)
        # It ticks on, which a beat does more often than this test takes.
        beat(seeds, of_beats)
        expect(banner).to_contain_text("All well", timeout=REFRESHED)
        assert page.evaluate("window.wasHere")
        assert complaints == []
        page.context.close()


def is_ordered(banner: Locator) -> bool:
    """Return whether failures stand before warnings."""
    said = banner.get_by_role("paragraph").all_inner_texts()
    severities = [each.startswith("Failure") for each in said if each.startswith(("Failure", "Warning"))]
    return severities == sorted(severities, reverse=True)
