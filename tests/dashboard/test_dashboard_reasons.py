"""What the page of a run says of what it waits for, and of what waits for it, with links."""

import re
from datetime import timedelta
from html import unescape

import pytest
from flask import Flask

from tests.dashboard.conftest import BASE, QUICK_HASH, Visitor
from tests.dashboard.page_text import text_of
from tests.dashboard.seeds import NOW, Seeds
from tests.inner import FunctionLimits, new_id
from tests.integration.apps import join
from tickerq_celery import TickerStatus, TickerType
from tickerq_celery.enums import NodeKind
from tickerq_dashboard import create_app
from tickerq_dashboard.show.reasons import Part, parts_of

ID = "01a22040-169f-7014-87a4-5da85ddcaa25"
OCCURRENCE = int(TickerType.CRON_TICKER_OCCURRENCE)


@pytest.fixture
def app(seeds: Seeds) -> Flask:
    return create_app(seeds.tickerq, users={"admin": (QUICK_HASH, "admin")})


def test_ids_of_a_sentence_are_parts_of_their_own_but_for_those_in_commands() -> None:
    sentence = f"{ID} holds it: `tickerq cancel {ID}` ends it, `{ID}` too"
    assert [each for each in parts_of(sentence) if each.text] == [
        Part(ID, is_id=True),
        Part(" holds it: "),
        Part(f"tickerq cancel {ID}", is_code=True),
        Part(" ends it, "),
        Part(ID, is_code=True, is_id=True),
        Part(" too"),
    ]


def test_a_run_on_a_worker_without_a_row_can_be_released_or_marked_as_failed(
    visitor: Visitor, seeds: Seeds
) -> None:
    join(seeds.tickerq, NodeKind.BEAT)
    run_id = seeds.run(
        status=TickerStatus.IN_PROGRESS, due_at=None, claim_no=1, running_on=new_id(),
        lock_holder="worker-9@shop-3", locked_at=NOW, started_at=NOW, on_lost="fail",
    )  # fmt: skip
    page = visitor.get(f"/runs/{run_id}").text
    assert "worker-9@shop-3 is gone" in page
    for slug in ("release", "mark-failed"):
        assert f'href="{BASE}/runs/{run_id}/{slug}"' in page


def worker_with(seeds: Seeds, function: str) -> None:
    """A live worker that has a function, one run of which may be in progress for each concurrency key."""
    limits, definitions = {function: FunctionLimits(max_concurrency_per_key=1)}, {function: "d1"}
    join(
        seeds.tickerq, NodeKind.WORKER, queues=["celery"], functions=limits,
        definitions=definitions,
    )  # fmt: skip


def of_one_key(seeds: Seeds, key: str, waiting: int = 2) -> tuple[object, object]:
    """A run that holds the slot of a key, and those that wait for it."""
    worker_with(seeds, "Send")
    holder = seeds.run(
        function="Send", status=TickerStatus.IN_PROGRESS, due_at=None, claim_no=1, running_on=new_id(),
        lock_holder="w", locked_at=NOW, started_at=NOW, concurrency_key=key,
    )  # fmt: skip
    waits = {"held_for": "key", "hold_key": f"Send\x1f{key}", "held_since": NOW, "concurrency_key": key}
    for other in ("Other", *["Send"] * waiting):
        last = seeds.run(function=other, execution_time=NOW - timedelta(minutes=1), **waits)
    return holder, last


@pytest.mark.parametrize("key", ["smtp", ID])
def test_what_a_run_waits_for_is_a_link_and_says_there_what_waits(
    visitor: Visitor, seeds: Seeds, key: str
) -> None:
    holder, waiting = of_one_key(seeds, key)
    why = visitor.get(f"/runs/{waiting}").text.partition('class="checks"')[2].partition("</ul>")[0]
    assert re.findall(r'<a [^>]*href="([^"]*)"', why) == [f"{BASE}/runs/{holder}"]
    page = visitor.get(f"/runs/{holder}").text
    found = re.search(rf'href="([^"]*)"><b>2 runs wait for its slot \(key {key}\)', page)
    assert found is not None
    listed = visitor.get(unescape(found[1]).removeprefix(BASE)).text
    assert "concurrency key" in listed
    assert listed.count("<th scope=row") == 2


def test_a_run_with_a_slot_of_its_function_says_how_many_wait_for_one(visitor: Visitor, seeds: Seeds) -> None:
    running = seeds.run(function="Send", status=TickerStatus.IN_PROGRESS, due_at=None)
    queued = seeds.run(function="Full", status=TickerStatus.IN_PROGRESS, due_at=None)
    seeds.run(function="Send", held_for="limit", hold_key="Send", held_since=NOW)
    seeds.run(function="Full", queue="q", held_for="limit", hold_key="queue:q", held_since=NOW)
    assert "1 run waits for a slot of its function" in text_of(visitor.get(f"/runs/{running}").text)
    assert "for a slot of its function" not in text_of(visitor.get(f"/runs/{queued}").text)


def test_an_occurrence_says_which_others_wait_for_its_end(visitor: Visitor, seeds: Seeds) -> None:
    cron_id = seeds.cron(overlap="buffer_all")
    own = {"type": OCCURRENCE, "cron_ticker_id": cron_id}
    running = seeds.run(status=TickerStatus.IN_PROGRESS, due_at=None, **own)
    seeds.run(held_for="overlap", hold_key=str(cron_id), held_since=NOW, **own)
    page = visitor.get(f"/runs/{running}").text
    assert "1 run waits for its end" in page
    assert f'href="{BASE}/runs/active?held_for=overlap&amp;cron_ticker_id={cron_id}"' in page


def test_a_run_of_a_paused_cron_ticker_says_so(visitor: Visitor, seeds: Seeds) -> None:
    cron_id = seeds.cron(is_enabled=False, paused_by="ann", paused_reason="3 runs failed", paused_at=NOW)
    run_id = seeds.run(type=OCCURRENCE, cron_ticker_id=cron_id, status=TickerStatus.FAILED)
    page = visitor.get(f"/runs/{run_id}").text
    assert "Its cron ticker is paused by ann since" in text_of(page)
    assert "3 runs failed: it does not fire until it is resumed" in text_of(page)
    well = seeds.run(type=OCCURRENCE, cron_ticker_id=seeds.cron(), status=TickerStatus.FAILED)
    assert "Its cron ticker is paused" not in visitor.get(f"/runs/{well}").text


def test_run_now_is_the_main_button_only_where_a_worker_has_the_function(
    visitor: Visitor, seeds: Seeds
) -> None:
    worker_with(seeds, "Known")
    main = re.compile(r'class="btn primary"[^>]*>Run now')
    assert main.search(visitor.get(f"/runs/{seeds.run(function='Known')}").text)
    page = visitor.get(f"/runs/{seeds.run(function='Unknown')}").text
    assert ">Run now<" in page
    assert not main.search(page)
