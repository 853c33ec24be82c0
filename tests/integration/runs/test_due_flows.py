"""Runs waiting for capacity in their queue: left due, taken round robin, in the way of no other function."""

from collections import Counter
from collections.abc import Callable, Collection
from datetime import timedelta
from uuid import UUID

import pytest

from tests.inner import Claim, Claimer, Core
from tests.integration.conftest import send
from tests.integration.making import (
    another_node,
    enrolled,
    make_run,
    make_runs,
    row_of,
    start,
    statements_of,
)
from tests.manual_clock import START, ManualClock
from tests.statements import nodes
from tickerq_celery.enums import TickerPriority, TickerStatus
from tickerq_celery.runs import due_flows as looking
from tickerq_celery.runs.publish_window import POLL_EVERY, POLL_SOON
from tickerq_celery.store.runs.due_flows import DueFlowsQuery
from tickerq_celery.tickers.flows import FunctionQueue

MakeCore = Callable[..., Core]
TAKES = 10
LATER = START + timedelta(hours=3)


@pytest.fixture
def core(make_core: MakeCore) -> Core:
    """A core whose workers take ten messages at most, of three functions."""
    return enrolled(make_core(send(), send("Other"), send("Third")), prefetch=TAKES)


def claimed(claimer: Claimer) -> list[Claim]:
    return list(claimer.claim(holder="beat").claims)


def ids_of(batch: Collection[Claim]) -> set[UUID]:
    return {each.id for each in batch}


def start_all(core: Core, batch: Collection[Claim]) -> None:
    for each in batch:
        assert start(core, each) is not None


def test_of_a_backlog_as_much_is_claimed_as_workers_take_and_the_rest_stays_due(core: Core) -> None:
    backlog = make_runs(core, 60)
    claimer = Claimer(core)
    assert ids_of(claimed(claimer)) == set(backlog[:TAKES])
    rows = [row_of(core, run_id) for run_id in backlog[TAKES:]]
    assert {(row.status, row.held_for) for row in rows} == {(TickerStatus.IDLE, None)}
    assert all(row.due_at is not None for row in rows)
    assert claimer.next_poll == POLL_SOON
    assert claimed(claimer) == []


def test_a_run_of_another_function_is_claimed_with_the_next_look(core: Core) -> None:
    make_runs(core, 60)
    claimer = Claimer(core)
    claimed(claimer)
    other = make_run(core, "Other")
    assert ids_of(claimed(claimer)) == {other}


def test_what_was_started_makes_room_for_the_next_and_the_window_grows_with_it(
    core: Core, clock: ManualClock
) -> None:
    backlog = make_runs(core, 300)
    claimer = Claimer(core)
    start_all(core, claimed(claimer))
    clock.advance(seconds=POLL_SOON)
    # Ten were started in 0.05 s: 60 in 0.3 s.
    batch = claimed(claimer)
    assert ids_of(batch) == set(backlog[TAKES : TAKES + 60])
    clock.advance(seconds=POLL_EVERY)
    start_all(core, batch[:30])
    assert len(claimed(claimer)) == 30
    assert claimer.next_poll == POLL_EVERY


def test_once_nothing_waits_claims_go_by_age_again(core: Core, clock: ManualClock) -> None:
    make_runs(core, TAKES + 5)
    claimer = Claimer(core)
    start_all(core, claimed(claimer))
    clock.advance(seconds=POLL_SOON)
    assert len(claimed(claimer)) == 5
    assert claimer.next_poll is None
    make_run(core)
    assert len(statements_of(core, lambda: claimed(claimer))) <= 3


def test_flows_of_one_queue_share_what_its_workers_take(core: Core, clock: ManualClock) -> None:
    for function in ("Send", "Other", "Third"):
        make_runs(core, 60, function)
    claimer = Claimer(core)
    batch = claimed(claimer)
    for _ in range(30):
        batch += claimed(claimer)
        clock.advance(seconds=POLL_EVERY)
    assert {each.function for each in batch} == {"Send", "Other", "Third"}
    # Nothing is started: what was published at first is all that there is.
    assert len(batch) <= 3 * TAKES


def test_flows_take_turns_in_what_is_published_at_once(core: Core, clock: ManualClock) -> None:
    make_runs(core, 60)
    claimer = Claimer(core)
    start_all(core, claimed(claimer))
    others = [make_run(core, "Other"), make_run(core, "Other")]
    urgent = make_run(core, "Third", priority=TickerPriority.HIGH)
    clock.advance(seconds=POLL_SOON)
    batch = claimed(claimer)
    assert batch[0].id == urgent
    assert [each.function for each in batch[1:7]] == ["Send", "Other", "Send", "Other", "Send", "Send"]
    assert ids_of(batch) > set(others)


def test_the_most_urgent_of_a_line_goes_first_then_the_oldest(core: Core, clock: ManualClock) -> None:
    backlog = make_runs(core, 60)
    claimer = Claimer(core)
    batch = claimed(claimer)
    urgent = make_run(core, priority=TickerPriority.HIGH)
    start_all(core, batch[:3])
    clock.advance(seconds=POLL_EVERY)
    assert [each.id for each in claimed(claimer)][:2] == [urgent, backlog[TAKES]]


def test_a_message_that_may_be_lost_takes_no_capacity(core: Core, clock: ManualClock) -> None:
    make_runs(core, 60)
    claimer = Claimer(core)
    first = claimed(claimer)
    clock.advance(seconds=core.config.lease.total_seconds() + 1)
    second = claimed(claimer)
    assert len(second) >= TAKES
    assert ids_of(first).isdisjoint(ids_of(second))


@pytest.mark.parametrize("takes", [None, 10_000], ids=["unknown", "unlimited"])
def test_what_workers_take_is_no_window_where_it_is_not_known_or_as_much_as_may_be_published(
    make_core: MakeCore, takes: int | None
) -> None:
    core = enrolled(make_core(send()), prefetch=takes)
    make_runs(core, 60)
    claimer = Claimer(core)
    assert len(claimed(claimer)) == 60
    assert claimer.next_poll is None


def test_a_queue_that_no_live_worker_consumes_has_no_window(core: Core) -> None:
    make_runs(core, 60, queue="reports")
    assert len(claimed(Claimer(core))) == 60


def test_flows_without_a_window_share_a_batch(make_core: MakeCore) -> None:
    core = enrolled(make_core(send(), send("Other"), send("Third"), batch_size=20), prefetch=TAKES)
    claimer = Claimer(core)
    make_runs(core, 60)
    claimed(claimer)
    for function in ("Other", "Third"):
        make_runs(core, 60, function, queue="reports")
    batch = claimed(claimer)
    assert Counter(each.function for each in batch) == {"Other": 10, "Third": 10}


def test_a_backlog_of_one_key_delays_no_other_key_of_its_function(
    make_core: MakeCore, clock: ManualClock
) -> None:
    core = enrolled(make_core(send(max_concurrency_per_key=None), batch_size=20), prefetch=TAKES)
    make_runs(core, 60, concurrency_key="customer 7")
    wanted = make_run(core, concurrency_key="customer 8", execution_time=LATER)
    clock.advance(hours=3)
    claimer = Claimer(core)
    assert wanted not in ids_of(claimed(claimer))
    clock.advance(seconds=1)
    assert ids_of(claimed(claimer)) == {wanted}


def test_what_an_adding_process_cannot_publish_at_once_is_left_to_beat(core: Core) -> None:
    backlog = make_runs(core, 60)
    adding = Claimer(core)
    assert ids_of(adding.claim(holder="web", ids=backlog).claims) == set(backlog[: 4 * TAKES])
    assert adding.next_poll is None
    assert adding.claim(holder="web", ids=[make_run(core)]).claims == []
    # Nothing of the same function, until workers have started what is ahead.
    assert claimed(Claimer(core)) == []
    other = make_run(core, "Other")
    assert ids_of(adding.claim(holder="web", ids=[other]).claims) == {other}


def test_more_flows_than_one_look_finds_come_round_at_once(
    make_core: MakeCore, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "_MOST_FLOWS", 2)
    names = [f"Each{number}" for number in range(5)]
    core = enrolled(make_core(send(), *map(send, names)), prefetch=TAKES)
    make_runs(core, 60)
    claimer = Claimer(core)
    claimed(claimer)
    others = {make_run(core, name) for name in names}
    found: set[UUID] = set()
    for _ in range(3):
        found |= ids_of(claimed(claimer))
    assert found == others


def test_once_no_worker_is_left_the_rest_is_published_up_to_the_bound_of_a_queue(
    core: Core, clock: ManualClock
) -> None:
    make_runs(core, 60, queue="celery")
    claimer = Claimer(core)
    assert len(claimed(claimer)) == TAKES
    core.write(nodes.remove, core.node.id)
    enrolled(another_node(core), queues=("elsewhere",))
    clock.advance(seconds=POLL_EVERY)
    claimed(claimer)
    assert len(claimed(claimer)) == 60 - TAKES
    assert claimer.next_poll is None


def test_flows_are_found_in_each_queue_with_the_priorities_of_what_is_due(
    core: Core, clock: ManualClock
) -> None:
    make_runs(core, 5)
    make_run(core, queue="mail", priority=TickerPriority.LOW)
    make_run(core, queue="post", execution_time=LATER)
    make_run(core, "Other", queue="mail")
    make_run(core, "Third", execution_time=LATER)
    found = core.read(DueFlowsQuery(most=100).read, after=None)
    assert [(each.flow, list(each.priorities)) for each in found.due] == [
        (FunctionQueue("Other", "mail"), [TickerPriority.NORMAL]),
        (FunctionQueue("Send", None), [TickerPriority.NORMAL]),
        (FunctionQueue("Send", "mail"), [TickerPriority.LOW]),
    ]
    assert found.last is None
    query, pages = DueFlowsQuery(most=1), []
    page = core.read(query.read, after=None)
    while page.last is not None:
        pages += [each.flow for each in page.due]
        page = core.read(query.read, after=page.last)
    assert pages == [each.flow for each in found.due]
