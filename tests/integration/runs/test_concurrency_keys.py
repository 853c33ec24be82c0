"""Concurrency keys: of one function's runs with one key only so many are active, whichever beat claims."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest

from tests.inner import Claimer, Core, Recorder, Slot, succeeded
from tests.integration.conftest import send
from tests.integration.cron.firing import fire
from tests.integration.making import (
    another_node,
    at_once,
    claim,
    crons,
    enrolled,
    fail,
    finish,
    give_back,
    make_cron,
    make_run,
    make_runs,
    occurrences_of,
    processes,
    release_holds,
    remove_runs,
    rescue,
    row_of,
    runs,
    started,
    statements_of,
    time_tickers,
)
from tests.manual_clock import START, ManualClock
from tests.statements import nodes
from tests.tables import tickers
from tickerq_celery import TimeTicker
from tickerq_celery.enums import HoldReason, TickerPriority
from tickerq_celery.errors import TickerValidationError

MakeCore = Callable[..., Core]
HIGH, LOW = TickerPriority.HIGH, TickerPriority.LOW


@pytest.fixture
def core(make_core: MakeCore) -> Core:
    """A core whose function takes two runs of a key at once, and whose other one takes one."""
    return enrolled(make_core(send(max_concurrency_per_key=2), send("Other")))


def claimed_ids(core: Core) -> list[UUID]:
    return [each.id for each in claim(core)]


def reason(core: Core, run_id: UUID) -> str | None:
    found: str | None = row_of(core, run_id).held_for
    return found


def full_key(core: Core, *priorities: TickerPriority) -> tuple[list[UUID], list[UUID]]:
    """Return the two runs that have a key's slots, and those that wait for one."""
    taken = [started(core, run_id).id for run_id in make_runs(core, 2, concurrency_key="eu")]
    waiting = [make_run(core, concurrency_key="eu", priority=priority) for priority in priorities]
    assert claim(core) == []
    return taken, waiting


def test_queued_and_running_runs_of_a_key_count_and_other_keys_have_their_own_slots(core: Core) -> None:
    running, queued, third = make_runs(core, 3, concurrency_key="eu")
    us = make_run(core, concurrency_key="us")
    started(core, running)
    assert set(claimed_ids(core)) == {queued, us}
    row = row_of(core, third)
    assert (row.held_for, row.hold_key, row.due_at) == ("key", Slot("Send", "eu").hold_key, None)


def test_a_held_run_is_found_by_the_hold_key_that_its_views_show(core: Core) -> None:
    full_key(core, TickerPriority.NORMAL)
    other = make_run(core, "Other", concurrency_key="eu:1")
    change = {"held_for": "key", "hold_key": Slot("Other", "eu:1").hold_key, "due_at": None}
    core.write(lambda tx: tx.execute(tickers.update().where(tickers.c.id == other).values(change)))
    shown = {"Send:eu", "Other:eu:1"}
    assert {each.hold_key for each in runs(core).active(held_for="key")} == shown
    for key in shown:
        [run] = runs(core).find(hold_key=key)
        assert (run.hold_key, runs(core).get(run.id).hold_key) == (key, key)
        assert key.isprintable()
    assert len(runs(core).find(hold_key=shown)) == 2
    assert len(runs(core).find(held_for="key", exclude={"hold_key": "Other:eu:1"})) == 1
    assert len(runs(core).find(hold_key="Send:us")) == 0


def test_runs_without_a_key_are_no_concern_of_a_key(core: Core) -> None:
    full_key(core)
    ids = make_runs(core, 3)
    assert claimed_ids(core) == ids


def test_functions_share_no_slots_though_they_share_a_key(core: Core) -> None:
    full_key(core)
    first, second = make_runs(core, 2, "Other", concurrency_key="eu")
    assert claimed_ids(core) == [first]
    assert reason(core, second) == HoldReason.KEY


@pytest.mark.parametrize("end", ["done", "retry", "rescue"])
def test_a_freed_slot_goes_to_the_most_urgent_run_of_the_key_and_then_to_the_oldest(
    core: Core, end: str
) -> None:
    run = started(core, make_run(core, "Other", concurrency_key="eu", retries=1))
    old, high, young = (
        make_run(core, "Other", concurrency_key="eu", priority=each) for each in (LOW, HIGH, LOW)
    )
    claim(core)
    if end == "done":
        finish(core, run, succeeded(run.standing))
    elif end == "retry":
        fail(core, run)
    else:
        rescue(core, run)
    assert [reason(core, each) for each in (old, high, young)] == ["key", None, "key"]
    remove_runs(core, [high])
    assert release_holds(core) == 1
    assert [reason(core, each) for each in (old, young)] == [None, "key"]


def test_who_ends_a_run_dispatches_the_one_that_gets_its_slot(core: Core) -> None:
    run = started(core, make_run(core, "Other", concurrency_key="eu"))
    waiting = make_run(core, "Other", concurrency_key="eu")
    claim(core)
    dispatched: list[UUID] = []
    Recorder(core, dispatch=dispatched.extend).finish(run, succeeded(run.standing), elapsed=None)
    assert dispatched == [waiting]


def test_the_sweep_gives_each_keys_free_slots_to_runs_that_wait(core: Core) -> None:
    keys = ("eu", "us", "asia")
    ids = {key: make_runs(core, 5, concurrency_key=key) for key in keys}
    batch = claim(core)
    assert len(batch) == 6
    assert release_holds(core) == 0
    give_back(core, [each for each in batch if each.id in ids["eu"] or each.id == ids["us"][0]])
    assert release_holds(core) == 3
    assert {key: sum(reason(core, each) is None for each in ids[key]) for key in keys} == {
        "eu": 4,
        "us": 3,
        "asia": 2,
    }


def test_the_sweep_comes_round_to_every_key_past_those_that_are_full(make_core: MakeCore) -> None:
    core = enrolled(make_core(send(), batch_size=2))
    claims = {}
    for number in range(5):
        key = f"customer {number}"
        taken, _ = make_run(core, concurrency_key=key), make_run(core, concurrency_key=key)
        (claims[key],) = claim(core, [taken])
        claim(core)
    claimer = Claimer(core)

    def passes() -> list[int]:
        return [core.write(claimer.release_holds).count for _ in range(3)]

    assert passes() == [0, 0, 0]
    for key in ("customer 4", "customer 1"):
        remove_runs(core, [claims[key].id])
        assert sum(passes()) == 1


def test_a_key_may_hold_runs_of_a_function_whose_own_limit_is_reached_first(make_core: MakeCore) -> None:
    core = enrolled(make_core(send(max_concurrency=1, max_concurrency_per_key=5)))
    first, second = (make_run(core, concurrency_key=key) for key in ("eu", "us"))
    assert claimed_ids(core) == [first]
    assert reason(core, second) == HoldReason.LIMIT


def test_where_workers_differ_the_smallest_limit_of_a_key_counts(make_core: MakeCore) -> None:
    core = enrolled(make_core(send(max_concurrency_per_key=3)))
    enrolled(another_node(make_core(send())))
    make_runs(core, 3, concurrency_key="eu")
    assert len(claim(core)) == 1


def test_runs_that_wait_for_a_key_are_released_once_their_function_has_no_limit_of_it(
    make_core: MakeCore,
) -> None:
    one = enrolled(make_core(send()))
    ids = make_runs(one, 3, concurrency_key="eu")
    assert claimed_ids(one) == ids[:1]
    one.write(nodes.remove, one.node.id)
    without = enrolled(another_node(make_core(send(max_concurrency_per_key=None))))
    without.write(Claimer(without).release_holds)
    assert set(claimed_ids(without)) == set(ids[1:])


@pytest.mark.row_locks
def test_beats_that_claim_at_once_never_exceed_the_limit_of_a_key(make_core: MakeCore) -> None:
    core = enrolled(make_core(send(max_concurrency_per_key=2), batch_size=4))
    for _ in range(5):
        ids = [make_run(core, concurrency_key=key) for key in ("eu", "us") * 8]
        with processes(core, 4) as beats:
            taken = at_once(*(lambda beat=beat: claim(beat) for beat in beats))
        claimed = {each.id for part in taken for each in part}
        assert max(len(claimed & set(ids[start::2])) for start in (0, 1)) <= 2
        assert claimed
        remove_runs(core, ids)


def test_a_claim_of_many_keys_takes_no_more_statements_than_one_of_few(core: Core) -> None:
    def statements(keys: int) -> int:
        batch = [TimeTicker(function="Send", concurrency_key=f"{keys}.{number}") for number in range(keys)]
        time_tickers(core).add_batch(batch)
        return len(statements_of(core, lambda: claimed_all(keys)))

    def claimed_all(keys: int) -> None:
        assert len(claim(core)) == keys

    statements(1)  # learns what the workers have
    assert statements(300) == statements(3) <= 11


def test_an_occurrence_has_the_key_of_its_cron_ticker(core: Core, clock: ManualClock) -> None:
    cron_id = make_cron(core, function="Other", concurrency_key="eu")
    assert crons(core).get(cron_id).concurrency_key == "eu"
    clock.advance(hours=1)
    fire(core)
    (occurrence,) = occurrences_of(core, cron_id)
    make_run(core, "Other", concurrency_key="eu")
    assert claimed_ids(core) == [occurrence.id]
    crons(core).update(cron_id, concurrency_key="us")
    assert crons(core).get(cron_id).concurrency_key == "us"


def test_a_run_that_gets_another_key_waits_no_more_for_its_old_one(core: Core) -> None:
    _, (waiting,) = full_key(core, LOW)
    run = time_tickers(core).update(waiting, concurrency_key="us")
    assert (run.concurrency_key, run.held_for, run.next_attempt_at) == ("us", None, START)
    assert claimed_ids(core) == [waiting]


@pytest.mark.parametrize("key", ["", " eu", "e\nu", "x" * 91, 7, b"eu"])
def test_what_is_no_key_is_refused_by_name_and_nothing_is_stored(core: Core, key: object) -> None:
    tickers = time_tickers(core)
    with pytest.raises(TickerValidationError, match="concurrency_key"):
        tickers.add_batch(
            [TimeTicker(function="Send"), TimeTicker(function="Send", concurrency_key=key)]  # type: ignore[arg-type]
        )
    assert not tickers.find()


def test_waiting_for_a_slot_makes_no_run_late(core: Core, clock: ManualClock) -> None:
    run = started(core, make_run(core, "Other", concurrency_key="eu"))
    waiting = make_run(core, "Other", concurrency_key="eu")
    claim(core)
    clock.advance(hours=1)
    finish(core, run, succeeded(run.standing))
    assert claimed_ids(core) == [waiting]
    assert row_of(core, waiting).is_late is False


def test_runs_of_a_full_key_never_stand_in_the_way_of_others(make_core: MakeCore, clock: ManualClock) -> None:
    core = enrolled(make_core(send(), batch_size=10))
    make_runs(core, 31, concurrency_key="eu")
    wanted = make_run(core, execution_time=START + timedelta(seconds=1))
    clock.advance(minutes=1)
    found = next(number for number in range(1, 10) if wanted in claimed_ids(core))
    assert found == 4
    assert claimed_ids(core) == []
