"""Rate limits: no time sees more claims than it may, the line is kept, and no other run waits."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from tests.inner import Core
from tests.integration.apps import enrol_worker, ticker_app
from tests.integration.conftest import send
from tests.integration.making import (
    another_node,
    at_once,
    claim,
    enrolled,
    fail,
    give_back,
    make_run,
    make_runs,
    processes,
    release_holds,
    rescue,
    row_of,
    start,
    started,
)
from tests.manual_clock import START, ManualClock
from tests.statements import nodes, rates
from tickerq_celery import TickerQ, TimeTicker
from tickerq_celery.enums import HoldReason, TickerPriority
from tickerq_celery.scheduler import TickerScheduler

MakeCore = Callable[..., Core]
HIGH, LOW = TickerPriority.HIGH, TickerPriority.LOW
# How long after one claim under 10/m the next may be.
INTERVAL = timedelta(seconds=6)


@pytest.fixture
def core(make_core: MakeCore) -> Core:
    """A core with a function at 10/m, and one without a rate."""
    return enrolled(make_core(send(rate_limit="10/m"), send("Free")))


@pytest.fixture
def tickerq(store_url: str, namespace: str, clock: ManualClock) -> Iterator[TickerQ]:
    with ticker_app(store_url, namespace, clock, publish_check=600, heartbeat=600, lease=1_200) as made:
        made.function("Send", rate_limit="100/m")(lambda: None)
        yield made


def claimed_ids(core: Core) -> list[UUID]:
    return [each.id for each in claim(core)]


def test_a_rate_lets_one_run_through_and_holds_the_rest_and_no_other_run(core: Core) -> None:
    first, second, third = make_runs(core, 3)
    free = make_runs(core, 3, "Free")
    assert set(claimed_ids(core)) == {first, *free}
    for run_id in (second, third):
        row = row_of(core, run_id)
        assert (row.held_for, row.hold_key, row.due_at) == (HoldReason.RATE, "Send", None)


def test_the_next_run_is_claimed_when_its_rate_allows_it_and_no_sooner(
    core: Core, clock: ManualClock
) -> None:
    ids = make_runs(core, 3)
    claimed = [claimed_ids(core)]
    for _ in range(4):
        clock.advance(seconds=5.999)
        claimed.append(claimed_ids(core))
        clock.advance(seconds=0.001)
        claimed.append(claimed_ids(core))
    assert claimed == [[ids[0]], [], [ids[1]], [], [ids[2]], [], [], [], []]
    assert row_of(core, ids[2]).held_for is None


def test_the_next_claim_of_a_rate_goes_to_the_most_urgent_and_then_to_the_oldest(
    core: Core, clock: ManualClock
) -> None:
    claimed, old, high, young = (make_run(core, priority=each) for each in (HIGH, LOW, HIGH, LOW))
    order = []
    for _ in range(4):
        order += claimed_ids(core)
        clock.advance(seconds=6)
    assert order == [claimed, high, old, young]


def test_a_run_that_comes_when_its_rate_allows_it_does_not_overtake_those_that_wait(
    core: Core, clock: ManualClock
) -> None:
    _, waiting = make_runs(core, 2)
    claim(core)
    clock.advance(seconds=6)
    new = make_run(core)
    assert [each.id for each in claim(core, [new])] == [waiting]
    assert row_of(core, new).held_for == HoldReason.RATE


def test_waiting_for_a_rate_makes_no_run_late(core: Core, clock: ManualClock) -> None:
    _, waiting = make_runs(core, 2)
    claim(core)
    clock.advance(hours=1)
    assert claimed_ids(core) == [waiting]
    assert row_of(core, waiting).is_late is False


def test_a_fast_rate_is_claimed_in_groups(make_core: MakeCore, clock: ManualClock) -> None:
    core = enrolled(make_core(send(rate_limit="100/s")))
    make_runs(core, 12)
    counts = []
    for _ in range(4):
        counts.append(len(claim(core)))
        clock.advance(seconds=0.05)
    assert counts == [5, 5, 2, 0]


def test_no_minute_sees_more_than_the_rate_whatever_becomes_of_the_claims(
    core: Core, clock: ManualClock
) -> None:
    make_runs(core, 30, retries=9, retry_intervals=[1])
    moments: list[datetime] = []
    for step in range(80):
        for each in claim(core):
            moments.append(clock.now())
            fate = step % 4
            run = None if fate == 0 else start(core, each)
            if run is None:
                give_back(core, [each])
            elif fate == 1:
                fail(core, run)
            elif fate == 2:
                rescue(core, run)
        if step % 5 == 0:
            release_holds(core)
        clock.advance(seconds=1.7)
    windows = [sum(begin <= each < begin + timedelta(minutes=1) for each in moments) for begin in moments]
    assert max(windows) <= 10
    assert len(moments) >= 15


@pytest.mark.row_locks
def test_beats_that_claim_at_once_share_one_claim_of_a_rate(core: Core, clock: ManualClock) -> None:
    make_runs(core, 24)
    total = 0
    for _ in range(6):
        with processes(core, 4) as beats:
            taken = at_once(*(lambda beat=beat: claim(beat) for beat in beats))
        assert sum(len(part) for part in taken) <= 1
        total += sum(len(part) for part in taken)
        clock.advance(seconds=6)
    assert total >= 4


def test_where_workers_differ_the_slower_rate_counts(make_core: MakeCore, clock: ManualClock) -> None:
    core = enrolled(make_core(send(rate_limit="10/m")))
    enrolled(another_node(make_core(send(rate_limit="1/m"))))
    make_runs(core, 2)
    assert len(claim(core)) == 1
    clock.advance(seconds=59)
    assert claim(core) == []
    clock.advance(seconds=1)
    assert len(claim(core)) == 1


def test_a_new_rate_does_not_wait_for_the_next_claim_of_the_old_one(
    make_core: MakeCore, clock: ManualClock
) -> None:
    old = enrolled(make_core(send(rate_limit="1/d")))
    make_runs(old, 2)
    assert len(claim(old)) == 1
    old.write(nodes.remove, old.node.id)
    new = enrolled(make_core(send(rate_limit="10/m")))
    assert len(claim(new)) == 1


def test_a_function_that_has_lost_its_rate_gets_all_its_runs_back(make_core: MakeCore) -> None:
    core = enrolled(make_core(send(rate_limit="1/d")))
    ids = make_runs(core, 4)
    claim(core)
    core.write(nodes.remove, core.node.id)
    enrolled(make_core(send()))
    assert release_holds(core) == 3
    assert set(claimed_ids(core)) == set(ids[1:])


def test_a_rate_that_only_older_workers_have_still_lets_runs_through(
    make_core: MakeCore, clock: ManualClock
) -> None:
    old = enrolled(make_core(send(rate_limit="10/m")))
    ids = make_runs(old, 3)
    assert claimed_ids(old) == ids[:1]
    enrolled(another_node(make_core(send())))
    for expected in ids[1:]:
        clock.advance(seconds=6)
        assert claimed_ids(old) == [expected]


def test_a_run_that_its_rate_allows_but_whose_function_is_full_waits_for_the_slot(
    make_core: MakeCore, clock: ManualClock
) -> None:
    core = enrolled(make_core(send(rate_limit="10/m", max_concurrency=1)))
    first, second = make_runs(core, 2)
    run = started(core, first)
    assert claim(core) == []
    assert row_of(core, second).held_for == HoldReason.LIMIT
    clock.advance(seconds=6)
    fail(core, run)
    assert claimed_ids(core) == [second]


def test_it_is_known_when_a_rate_allows_the_next_claim_and_none_where_no_run_waits(core: Core) -> None:
    def next_ready() -> datetime | None:
        return core.read(lambda tx: tx.scalar(rates.next_ready(tx)))

    make_run(core)
    claim(core)
    assert next_ready() is None
    make_run(core)
    claim(core)
    assert next_ready() == START + INTERVAL


def test_a_beat_wakes_up_for_the_next_free_claim_of_a_rate(tickerq: TickerQ, clock: ManualClock) -> None:
    enrol_worker(tickerq)
    beat = TickerScheduler(tickerq.app)
    try:
        for _ in range(2):
            soon = clock.now() + timedelta(seconds=0.1)
            tickerq.time_tickers.add(TimeTicker(function="Send", execution_time=soon))
        clock.advance(seconds=0.1)
        assert beat.tick() == pytest.approx(0.6)
        clock.advance(seconds=0.6)
        beat.tick()
        assert tickerq.core.read(lambda tx: tx.scalar(rates.next_ready(tx))) is None
    finally:
        beat.close()
