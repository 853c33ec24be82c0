"""The page of nodes leads from a worker to what it executes, and from a lost one to what it ran."""

import re
from html import unescape

from tests.dashboard.conftest import BASE, Visitor
from tests.dashboard.page_text import text_of
from tests.dashboard.seeds import NOW, Seeds
from tests.integration.apps import join
from tests.statements import lost_nodes
from tests.tables import nodes
from tickerq_celery import TickerStatus
from tickerq_celery.enums import NodeKind


def addresses_of(page: str, word: str) -> list[str]:
    """Where the links of a word lead, below the base path."""
    return [unescape(each).removeprefix(BASE) for each in re.findall(rf'<a href="([^"]+)">{word}</a>', page)]


def test_the_name_of_a_worker_leads_to_as_many_runs_as_its_row_says(visitor: Visitor, seeds: Seeds) -> None:
    for number in (1, 2):
        name = f"worker-{number}"
        worker = join(seeds.tickerq, NodeKind.WORKER, name=name, concurrency=8)
        running = {"running_on": worker, "lock_holder": name, "due_at": None, "started_at": NOW}
        for _ in range(number):
            seeds.run(function=f"On{number}", status=TickerStatus.IN_PROGRESS, **running)
        # What it ran last waits for another attempt.
        seeds.run(function="Held", held_for="limit", held_since=NOW, retry_count=1, ended_on=name)
        seeds.run(function="Ended", status=TickerStatus.DONE, ended_on=name)
    page = visitor.get("/nodes").text
    [named], [counted] = addresses_of(page, "worker-2"), addresses_of(page, "2 of 8")
    assert named == counted
    listed = visitor.get(named).text
    assert (listed.count("<b>On2</b>"), listed.count("<th scope=row")) == (2, 2)


def test_the_name_of_a_beat_is_no_link(visitor: Visitor, seeds: Seeds) -> None:
    join(seeds.tickerq, NodeKind.BEAT, name="beat-1")
    page = visitor.get("/nodes").text
    assert "beat-1" in page
    assert addresses_of(page, "beat-1") == []


def test_nodes_have_their_own_names_and_say_what_they_are_in_every_cell(
    visitor: Visitor, seeds: Seeds
) -> None:
    join(seeds.tickerq, NodeKind.BEAT, name="beat@shop:17:f19ae5")
    join(seeds.tickerq, NodeKind.WORKER, name="w1@shop:18:c0ffee")
    page = visitor.get("/nodes").text
    said = text_of(page)
    assert re.search(r"beat@shop beat, \d+", said)
    assert re.search(r"w1@shop worker, \d+", said)
    assert "c0ffee" not in said.partition("Workers")[2]
    assert 'title="w1@shop:18:c0ffee"' in page
    for table in re.findall(r"<table.*?</table>", page, re.DOTALL):
        heads = len(re.findall(r"<th scope=\"col\"", table))
        assert {len(re.findall("<t[dh]", row)) for row in re.findall("<tr id.*?</tr>", table, re.DOTALL)} == {
            heads
        }


def test_the_name_of_a_worker_that_was_lost_leads_to_what_it_ran(visitor: Visitor, seeds: Seeds) -> None:
    lost = join(seeds.tickerq, NodeKind.WORKER, name="worker-9")
    seeds.tickerq.core.write(lost_nodes.record, lost, found_by="beat-1")
    seeds.tickerq.core.write(lambda tx: tx.execute(nodes.delete()))
    seeds.run(function="Ran", status=TickerStatus.DONE, ended_on="worker-9")
    [there] = addresses_of(visitor.get("/nodes").text, "worker-9")
    assert "<b>Ran</b>" in visitor.get(there).text
