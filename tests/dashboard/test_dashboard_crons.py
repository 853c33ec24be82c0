"""The list of cron tickers, by where they come from and by how they do."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from tests.dashboard.conftest import BASE, Visitor
from tests.dashboard.page_text import text_of
from tests.dashboard.seeds import NOW, Seeds
from tests.integration.apps import join
from tests.statements import ordered_reads
from tickerq_celery import TickerStatus, TickerType
from tickerq_celery.enums import NodeKind, Origin, TickerKind
from tickerq_dashboard.show.charts.strip import spark_path


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


def test_a_cron_ticker_s_success_says_how_many_of_its_ends_were_only_published(
    visitor: Visitor, seeds: Seeds
) -> None:
    for moments, said in (([NOW], "100 % Defined"), ([NOW, None, None], "100 % without 2 Published")):
        cron_id = seeds.cron(kind="celery_task")
        own = {"cron_ticker_id": cron_id, "type": int(TickerType.CRON_TICKER_OCCURRENCE), "origin": "cron"}
        for started_at in moments:
            seeds.run(status=TickerStatus.DONE, kind="celery_task", started_at=started_at, **own)
        assert f"Success of these {said}" in text_of(visitor.get(f"/crons/{cron_id}").text)


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


def test_a_cron_ticker_says_since_when_it_exists_and_when_it_was_changed(
    visitor: Visitor, seeds: Seeds
) -> None:
    now = datetime.now(UTC)
    made, changed = now - timedelta(days=30, minutes=1), now - timedelta(days=3, minutes=1)
    said = text_of(visitor.get(f"/crons/{seeds.cron(created_at=made, updated_at=made)}").text)
    assert "in code 30 d ago" in said
    assert "Last change" not in said
    said = text_of(visitor.get(f"/crons/{seeds.cron(created_at=made, updated_at=changed)}").text)
    assert "Last change 3 d ago" in said


def test_the_durations_of_its_last_instants_are_drawn(visitor: Visitor, seeds: Seeds) -> None:
    cron_id = seeds.cron()
    for minutes, seconds in ((3, 4), (2, 1), (1, 2)):
        at = NOW - timedelta(minutes=minutes)
        seeds.run(
            type=int(TickerType.CRON_TICKER_OCCURRENCE),
            cron_ticker_id=cron_id,
            instant=at,
            execution_time=at,
            status=TickerStatus.DONE,
            started_at=at,
            ended_at=at + timedelta(seconds=seconds),
            elapsed=timedelta(seconds=seconds),
            origin=Origin.CRON.value,
        )
    page = visitor.get(f"/crons/{cron_id}").text
    assert 'class="spark"' in page
    assert f'd="{spark_path([4.0, 1.0, 2.0])}"' in page


def test_cron_tickers_of_one_function_are_told_apart_by_what_they_are_for_and_no_schedule_is_cut(
    visitor: Visitor, seeds: Seeds
) -> None:
    long = "0,7,14,21,28,35,42,49,56 1,3,5,7,9,11,13,15,17,19,21,23 * JAN,MAR,MAY,JUL MON,WED,FRI"
    for pair in ("EUR to USD", "EUR to GBP"):
        seeds.cron(function="fx.rates", description=pair, expression=long)
    page = visitor.get("/crons").text
    assert re.findall("<th scope=row[^>]*>.*?<p>(.*?)</p>", page) == ["EUR to USD", "EUR to GBP"]
    [words] = {each.strip() for each in re.findall(r'<td title="0,7[^>]*><p>([^<]*)', page)}
    assert words.endswith("May and July")
    assert "…" not in words
