"""The list of cron tickers, by where they come from and by how they do."""

import re

import pytest

from tests.dashboard.conftest import BASE, Visitor
from tests.dashboard.page_text import text_of
from tests.dashboard.seeds import NOW, Seeds
from tests.integration.apps import join
from tickerq_celery import TickerStatus, TickerType
from tickerq_celery.enums import NodeKind, TickerKind
from tickerq_celery.store import ordered_reads


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("source=code", {"FromCode"}),
        ("source=created", {"Created", "Failing", "Stopped"}),
        ("state=failing", {"Failing", "Stopped"}),
        ("state=failing&source=code", set()),
        ("state=paused", {"Stopped"}),
    ],
)
def test_cron_tickers_are_listed_by_their_source_and_by_how_they_do(
    visitor: Visitor, seeds: Seeds, query: str, shown: set[str]
) -> None:
    seeds.cron(function="FromCode")
    created = {"seed_key": None, "seed_expression": None}
    seeds.cron(function="Created", **created)
    failing = seeds.cron(function="Failing", **created)
    seeds.cron(function="Stopped", is_enabled=False, paused_by="tickerq", paused_at=NOW, **created)
    for status in (TickerStatus.DONE, TickerStatus.FAILED):
        seeds.run(
            function="Failing",
            status=status,
            type=int(TickerType.CRON_TICKER_OCCURRENCE),
            cron_ticker_id=failing,
            ended_at=NOW.replace(minute=int(status)),
        )
    page = visitor.get(f"/crons?{query}")
    names = {name for name in ("FromCode", "Created", "Failing", "Stopped") if f"<b>{name}</b>" in page.text}
    assert (page.status_code, names) == (200, shown)


def test_a_look_that_ends_early_says_so_and_goes_on(
    visitor: Visitor, seeds: Seeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        seeds.cron()
    monkeypatch.setattr(ordered_reads, "MOST_READ", 10)
    page = visitor.get("/crons?state=failing").text
    assert "This search is too wide." in text_of(page)
    assert "Search on" in page
    assert "No cron ticker matches" not in page


def test_a_cron_ticker_whose_function_no_live_worker_has_says_so(visitor: Visitor, seeds: Seeds) -> None:
    there, gone = seeds.cron(function="Send"), seeds.cron(function="Gone")
    seeds.tickerq.function("Send")(lambda context: None)
    join(seeds.tickerq, NodeKind.WORKER)
    said = "No live worker has its function"
    assert said not in visitor.get(f"/crons/{there}").text
    page = visitor.get(f"/crons/{gone}").text
    assert said in page
    assert f'<a href="{BASE}/functions/Gone">See the function</a>' in page


def test_the_list_says_which_cron_tickers_no_live_worker_has(visitor: Visitor, seeds: Seeds) -> None:
    coming = {"next_run_at": NOW}
    seeds.cron(function="Send", **coming)
    seeds.cron(function="Gone", **coming)
    seeds.cron(function="shop.tasks.call", kind=TickerKind.CELERY_TASK.value, **coming)
    seeds.cron(function="Stopped", is_enabled=False, paused_at=NOW)
    seeds.cron(function="Over", next_run_at=None)
    seeds.tickerq.function("Send")(lambda context: None)
    join(seeds.tickerq, NodeKind.WORKER)
    page = visitor.get("/crons").text
    states = re.findall(
        r'<td( class=warn)?><svg[^>]*><use href="#([a-z-]+)"/></svg><b>([^<]+)</b>.*?<b>([^<]+)', page
    )
    assert {name: (icon, word, bool(warns)) for warns, icon, word, name in states} == {
        "Send": ("history", "Enabled", False),
        "Gone": ("s-warning", "No worker", True),
        "call": ("history", "Enabled", False),
        "Stopped": ("pause", "Paused", True),
        "Over": ("history", "Ended", False),
    }
