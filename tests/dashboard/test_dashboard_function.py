"""The page of a function: what of it is held and by what, and in what live workers differ."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest

from tests.dashboard.conftest import BASE, Visitor
from tests.dashboard.page_text import text_in
from tests.dashboard.seeds import NOW, Seeds
from tests.inner import FunctionLimits, make_function, new_id
from tests.integration.apps import join
from tests.statements import functions
from tickerq_celery import TickerStatus
from tickerq_celery.enums import HoldReason, NodeKind
from tickerq_celery.functions.records import FunctionRecord, definitions_of, function_records
from tickerq_dashboard.reading.held import MOST_EXPLAINED


def send(context: Any) -> None: ...


def records(**options: Any) -> list[FunctionRecord]:
    return list(function_records([make_function(send, "Send", **options)]))


def has(seeds: Seeds, *names: str) -> None:
    """A live worker that has functions, each with one slot, and has registered them."""
    limits = {name: FunctionLimits(max_concurrency=1) for name in names}
    join(
        seeds.tickerq,
        NodeKind.WORKER,
        queues=["celery"],
        functions=limits,
        definitions=dict.fromkeys(names, "d1"),
    )
    registered = function_records(make_function(lambda context: None, name) for name in names)
    seeds.tickerq.core.write(functions.register, list(registered))


def held(seeds: Seeds, reason: HoldReason, runs: int, key: str = "Send") -> None:
    for _ in range(runs):
        seeds.run(function="Send", held_for=reason.value, hold_key=key, held_since=NOW - timedelta(hours=1))


def panel_of(page: str) -> str:
    return page.partition('id="held"')[2].partition("</section>")[0]


def test_held_runs_are_counted_by_reason_with_what_holds_the_first(visitor: Visitor, seeds: Seeds) -> None:
    has(seeds, "Send")
    holder = seeds.run(
        function="Send", status=TickerStatus.IN_PROGRESS, due_at=None, running_on=new_id(),
        lock_holder="w", started_at=NOW, locked_at=NOW, claim_no=1,
    )  # fmt: skip
    held(seeds, HoldReason.LIMIT, 3)
    seeds.tickerq.pauses.pause(tag="eu", by="ben", reason="the move")
    seeds.run(function="Send", tags=["eu"], held_for="paused", hold_key="tag:eu", held_since=NOW)
    seeds.run(function="Other", held_for="limit", hold_key="Other", held_since=NOW)
    page = visitor.get("/functions/Send").text
    assert re.search(r'href="#held">4</a>', page)
    panel = panel_of(page)
    assert panel.index("3 runs") < panel.index("1 run<")
    assert f'href="{BASE}/runs/active?function=Send&amp;held_for=limit"' in panel
    assert f'href="{BASE}/runs/{holder}"' in panel
    text = text_in(panel)
    assert re.search(r"3 runs ?: Waits for a free slot", text)
    assert "Tag eu is paused since" in text
    assert "by ben: the move" in text
    assert "no live worker" not in text


def test_a_function_of_which_nothing_is_held_says_nothing(visitor: Visitor, seeds: Seeds) -> None:
    has(seeds, "Send")
    page = visitor.get("/functions/Send").text
    assert 'id="held"' not in page
    assert "#held" not in page


def test_only_the_largest_reasons_are_explained(visitor: Visitor, seeds: Seeds) -> None:
    reasons = [HoldReason.LIMIT, HoldReason.KEY, HoldReason.RATE, HoldReason.FUNCTION]
    for number, reason in enumerate(reasons):
        held(seeds, reason, number + 1)
    panel = panel_of(visitor.get("/functions/Send").text)
    assert panel.count("<li>") == len(reasons)
    assert panel.count("Open the first") == MOST_EXPLAINED


def define(seeds: Seeds, **options: Any) -> None:
    """A live worker that defines a function so."""
    function = make_function(send, "Send", **options)
    join(
        seeds.tickerq,
        NodeKind.WORKER,
        functions={"Send": function.limits},
        definitions=definitions_of([function]),
    )


def test_it_is_said_in_which_settings_workers_differ_and_which_have_what(
    visitor: Visitor, seeds: Seeds
) -> None:
    for options in ({}, {}, {"retries": 3, "timeout": 90.04, "queue": "mail"}):
        define(seeds, **options)
        seeds.tickerq.core.write(functions.register, records(**options))
    names = {each.name for each in seeds.tickerq.nodes.find()}
    page = visitor.get("/functions/Send").text
    said = text_in(page.partition('id="differ"')[2].partition("</dl>")[0])
    for words in ("Retries 0 on", "; 3 on", "Timeout none on", "1 min 30.04 s on"):
        assert words in said
    assert "Queue as Celery routes it on" in said
    assert all(said.count(name) == 3 for name in names)
    listed = visitor.get("/functions").text
    assert f'href="{BASE}/functions/Send#differ">Differs in queue, retries, timeout</a>' in listed


def test_where_workers_do_not_say_their_settings_the_page_says_that(visitor: Visitor, seeds: Seeds) -> None:
    has(seeds, "Send")
    assert "a worker of an earlier version does not say" in visitor.get("/functions/Send").text


def ended(seeds: Seeds, ago: timedelta, status: TickerStatus, seconds: float) -> None:
    at = datetime.now(UTC) - ago
    took = timedelta(seconds=seconds)
    moments = {"ended_at": at, "started_at": at - took, "created_at": at - took}
    seeds.run(function="Send", status=status, executions=1, elapsed=took, **moments)


def test_ends_and_durations_are_drawn_with_a_table_and_links_for_a_window(
    visitor: Visitor, seeds: Seeds
) -> None:
    has(seeds, "Send")
    for seconds in (1, 1, 4):
        ended(seeds, timedelta(minutes=5), TickerStatus.DONE, seconds)
    ended(seeds, timedelta(days=3), TickerStatus.FAILED, 60)
    seen = {}
    for window, ends, failures, runs in (("24h", "3", "0", [2, 1]), ("7d", "3", "1", [2, 1, 1])):
        page = visitor.get(f"/functions/Send?window={window}").text
        assert re.search(rf"</span>Done <b>{ends}</b>.*?</span>Failed <b>{failures}</b>", page)
        took = page.partition('id="took-title"')[2].partition("</section>")[0]
        assert '<th scope="col">Attempts</th>' in took
        table = took.partition("<tbody>")[2]
        counts = [int(each) for each in re.findall(r'<td class="num">(\d+)</td>', table)]
        assert counts == runs
        assert took.count('class="took"') == 2 * len(runs)
        assert "p50" in took
        assert "p95" in took
        assert f'window={window}" aria-current="true"' in page
        seen[window] = took
    longer = re.findall(rf'href="{BASE}/runs\?function=Send&amp;min_elapsed=([0-9.]+)"', seen["7d"])
    listed = visitor.get(f"/runs?function=Send&min_elapsed={longer[-1]}").text
    assert len(re.findall("<th scope=row", listed)) == 1
    assert visitor.get("/functions/Send?window=1y").status_code == 400


def test_the_list_heads_what_it_counts_and_leads_to_what_ended_in_the_window(
    visitor: Visitor, seeds: Seeds
) -> None:
    has(seeds, "Send")
    ended(seeds, timedelta(minutes=5), TickerStatus.DONE, 1)
    ended(seeds, timedelta(minutes=5), TickerStatus.FAILED, 1)
    ended(seeds, timedelta(days=3), TickerStatus.FAILED, 1)
    page = visitor.get("/functions").text
    assert "Active Ends Failures p95" in text_in(page)
    linked = re.findall(rf'href="{BASE}/runs(\?[^"]+)">(\d+)<', page)
    assert [int(number) for _, number in linked] == [2, 1]
    for query, number in linked:
        assert visitor.get(f"/runs{unescape(query)}").text.count("<th scope=row") == int(number)


def test_a_function_without_ends_says_so(visitor: Visitor, seeds: Seeds) -> None:
    has(seeds, "Send")
    page = visitor.get("/functions/Send").text
    assert "Nothing of it ended in these 24 h." in page
    assert "No attempt of it ended in these 24 h." in page


@pytest.mark.parametrize(
    ("measured", "said"),
    [
        (1, "2 more ends without a duration: cancelled before"),
        (0, "2 ends in these 24 h without a duration: "),
    ],
)
def test_ends_without_a_duration_are_said_beside_those_that_have_one(
    visitor: Visitor, seeds: Seeds, measured: int, said: str
) -> None:
    has(seeds, "Send")
    for _ in range(measured):
        ended(seeds, timedelta(minutes=5), TickerStatus.CANCELLED, 1)
    at = datetime.now(UTC) - timedelta(minutes=5)
    for status in (TickerStatus.CANCELLED, TickerStatus.FAILED, TickerStatus.SKIPPED):
        seeds.run(function="Send", status=status, executions=1, started_at=at, ended_at=at)
    page = visitor.get("/functions/Send").text
    took = page.partition('id="took-title"')[2].partition("</section>")[0]
    assert said in took
    assert "No attempt of it ended" not in took
    assert took.count('<svg class="chart') == 2 * measured


def test_the_legend_names_each_status_that_is_drawn(visitor: Visitor, seeds: Seeds) -> None:
    has(seeds, "Send")
    ended(seeds, timedelta(minutes=5), TickerStatus.CANCELLED, 1)
    page = visitor.get("/functions/Send").text
    assert "</span>Cancelled <b>1</b>" in page
    assert "</span>Skipped <b>" not in page
