"""A run in progress whose worker is dead or gone is shown as lost, and so is what is left on that worker."""

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask

from tests.dashboard.conftest import BASE, QUICK_HASH, Visitor
from tests.dashboard.page_text import text_in, text_of
from tests.dashboard.seeds import Seeds
from tests.inner import new_id
from tests.integration.apps import join
from tests.statements import lost_nodes
from tests.tables import nodes
from tickerq_celery import TickerStatus
from tickerq_celery.enums import NodeKind
from tickerq_dashboard import create_app
from tickerq_dashboard.reading.lost_runs import SETTLED, lost_among

NAME = "celery@shop-3"
# Pages say a moment of the days before by its weekday.
NOW = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)


def shown(css: str, word: str, page: str) -> bool:
    """Whether a page has a run of this look."""
    return re.search(rf'#s-{css}"(?:></use>|/>)</svg>(?:<span class="word">|<b>)?{word}<', page) is not None


@pytest.fixture
def app(seeds: Seeds) -> Flask:
    return create_app(seeds.tickerq, users={"admin": (QUICK_HASH, "admin")})


def running_on(seeds: Seeds, node: UUID, **columns: object) -> UUID:
    run = {"status": TickerStatus.IN_PROGRESS, "running_on": node, "lock_holder": NAME, "claim_no": 1}
    return seeds.run(**run, **({"due_at": None, "started_at": NOW} | columns))


def die(seeds: Seeds, node: UUID, seen_at: datetime = NOW) -> None:
    dead = nodes.update().where(nodes.c.id == node).values(seen_at=seen_at, name=NAME)
    seeds.tickerq.core.write(lambda tx: tx.execute(dead))


@pytest.mark.parametrize("word", ["dead", "gone"])
def test_it_is_marked_wherever_it_is_shown(visitor: Visitor, seeds: Seeds, word: str) -> None:
    node = join(seeds.tickerq, NodeKind.WORKER) if word == "dead" else new_id()
    die(seeds, node)
    run_id = running_on(seeds, node, has_children=True)
    below = {"parent_id": run_id, "root_id": run_id, "execution_time": None, "due_at": None}
    seeds.run(**below, held_for="parent", held_since=NOW)
    for path in ("/runs/active", f"/runs/{run_id}", f"/runs/{run_id}/release"):
        page = visitor.get(path).text
        assert shown("lost", "Lost", page), path
        assert not shown("in-progress", "In progress", page), path
    page = visitor.get(f"/chains/{run_id}").text
    assert page.count('#s-lost"') == 2
    assert page.count(">Lost") == 2
    assert "The chain of 2 runs has not ended: 1 is Lost, 1 Idle." in text_of(page)
    assert f"Its worker is {word}: {NAME}" in text_of(visitor.get("/runs/active").text)
    page = visitor.get(f"/runs/{run_id}").text
    assert f'href="{BASE}/nodes#n{node}">is {word}</a>' in page
    assert "1 lost lost As a table" in text_of(page)


@pytest.mark.parametrize("is_recorded", [False, True])
def test_its_page_says_when_its_worker_was_seen_and_not_how_long_it_runs(
    visitor: Visitor, seeds: Seeds, is_recorded: bool
) -> None:
    node, seen = join(seeds.tickerq, NodeKind.WORKER), NOW + timedelta(minutes=2)
    die(seeds, node, seen_at=seen)
    if is_recorded:
        seeds.tickerq.core.write(lost_nodes.record, node, found_by="beat-1")
        seeds.tickerq.core.write(lambda tx: tx.execute(nodes.delete()))
    run_id = running_on(seeds, node)
    page = text_of(visitor.get(f"/runs/{run_id}").text)
    band = page.partition("Attempts")[0]
    assert f"Worker last seen {(datetime.now(UTC) - seen).days} d" in band
    assert f"{seen:%a %H:%M} UTC" in band
    assert "Runs for" not in band
    row = visitor.get("/runs/active").text.partition("<tbody>")[2]
    assert "data-v=for" not in row


def test_of_one_on_a_worker_of_which_nothing_is_known_no_moment_is_said(
    visitor: Visitor, seeds: Seeds
) -> None:
    page = text_of(visitor.get(f"/runs/{running_on(seeds, new_id())}").text)
    assert "is gone" in page
    assert "last seen" not in page
    assert "Runs for" not in page


def test_an_attempt_that_was_found_lost_ran_for_an_unknown_time(visitor: Visitor, seeds: Seeds) -> None:
    run_id = seeds.run(status=TickerStatus.FAILED, started_at=NOW, ended_at=NOW + timedelta(minutes=9))
    lost = {"started_at": NOW, "ended_at": NOW + timedelta(minutes=9)}
    seeds.attempt(run_id, exception_type="WorkerLost", **lost)
    page = text_of(visitor.get(f"/runs/{run_id}").text)
    assert "1 WorkerLost found lost As a table" in page
    began, ended = (f"{each:%a %H:%M}" for each in (NOW, NOW + timedelta(minutes=9)))
    assert f"{began} {ended} found lost \N{EN DASH}" in page


def test_one_on_a_live_worker_is_in_progress(visitor: Visitor, seeds: Seeds) -> None:
    run_id = running_on(seeds, join(seeds.tickerq, NodeKind.WORKER))
    for path in ("/runs/active", f"/runs/{run_id}"):
        page = visitor.get(path).text
        assert shown("in-progress", "In progress", page), path
        assert not shown("lost", "Lost", page), path


def test_one_that_has_just_begun_may_be_on_a_worker_that_has_just_come(seeds: Seeds) -> None:
    now = datetime.now(UTC)
    for ago, is_lost in ((SETTLED - timedelta(seconds=1), False), (SETTLED + timedelta(seconds=1), True)):
        run_id = running_on(seeds, new_id(), started_at=now - ago)
        run = seeds.tickerq.runs.get(run_id)
        assert bool(lost_among((), [run], now)) == is_lost


def test_the_nodes_say_what_is_left_on_a_worker_that_is_gone(visitor: Visitor, seeds: Seeds) -> None:
    gone, found_dead = new_id(), join(seeds.tickerq, NodeKind.WORKER)
    die(seeds, found_dead)
    seeds.tickerq.core.write(lost_nodes.record, found_dead, found_by="beat-1")
    seeds.tickerq.core.write(lambda tx: tx.execute(nodes.delete()))
    for node in (gone, gone, found_dead):
        running_on(seeds, node)
    page = visitor.get("/nodes").text
    for node, words in ((gone, "2 runs are still in progress"), (found_dead, "1 run is still in progress")):
        row = page.partition(f'<tr id="n{node}"')[2].partition("</tr>")[0]
        assert NAME in row
        assert words in text_in(row)
        assert f'href="{BASE}/runs/active?node={NAME}&amp;status=in-progress"' in row
    assert "has started again" not in page


def test_of_a_lost_beat_nothing_is_said_of_runs(visitor: Visitor, seeds: Seeds) -> None:
    said = {NodeKind.BEAT: "found dead by beat-1", NodeKind.WORKER: "or failed where its function says so"}
    dead = {join(seeds.tickerq, kind): words for kind, words in said.items()}
    for node in dead:
        seeds.tickerq.core.write(lost_nodes.record, node, found_by="beat-1")
    seeds.tickerq.core.write(lambda tx: tx.execute(nodes.delete()))
    page = visitor.get("/nodes").text
    for node, words in dead.items():
        assert words in text_in(page.partition(f'<tr id="n{node}"')[2].partition("</tr>")[0])


def test_a_lost_node_is_a_beat_or_a_worker_and_its_finder_is_not_why_it_was_away(
    visitor: Visitor, seeds: Seeds
) -> None:
    beat, worker = (join(seeds.tickerq, kind, name="n-1") for kind in (NodeKind.BEAT, NodeKind.WORKER))
    for node in (beat, worker):
        seeds.tickerq.core.write(lost_nodes.record, node, found_by="beat-1")
    seeds.tickerq.core.write(lost_nodes.mark_returned, worker)
    seeds.tickerq.core.write(lambda tx: tx.execute(nodes.delete()))
    page = visitor.get("/nodes").text
    of = {
        node: text_in(page.partition(f'<tr id="n{node}"')[2].partition("</tr>")[0]) for node in (beat, worker)
    }
    assert "n-1 beat, " in of[beat]
    assert "n-1 worker, " in of[worker]
    assert re.search(r"it came back at .+: it was frozen or cut off; found dead by beat-1", of[worker])
