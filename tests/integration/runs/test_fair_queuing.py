"""Fair queuing: a backlog of one function, queue, key or cron ticker delays the runs of no other."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest

from tests.inner import Claimer, Core
from tests.integration.conftest import send
from tests.integration.cron.firing import fire
from tests.integration.making import crons, enrolled, make_cron, make_run, make_runs, row_of, statements_of
from tests.manual_clock import START, ManualClock
from tickerq_celery.enums import HoldReason, TickerPriority

MakeCore = Callable[..., Core]
LATER = START + timedelta(hours=3)


@pytest.fixture
def core(make_core: MakeCore) -> Core:
    """A core that claims ten runs at a time, of functions that a worker has which says not what it takes."""
    return enrolled(make_core(send(), send("Other"), send("Third"), batch_size=10), prefetch=None)


def claimed(claimer: Claimer) -> set[UUID]:
    return {each.id for each in claimer.claim(holder="beat").claims}


def of_a_function(core: Core) -> UUID:
    make_runs(core, 60)
    return make_run(core, "Other", execution_time=LATER)


def of_a_queue(core: Core) -> UUID:
    make_runs(core, 60, queue="mail")
    return make_run(core, queue="reports", execution_time=LATER)


def of_a_key(core: Core) -> UUID:
    make_runs(core, 60, concurrency_key="customer 7")
    return make_run(core, concurrency_key="customer 8", execution_time=LATER)


def of_a_cron_ticker(core: Core) -> UUID:
    make_cron(core, "* * * * *", misfire="run_all", misfire_limit=60, overlap="allow")
    return make_run(core, execution_time=LATER)


@pytest.mark.parametrize("backlog", [of_a_function, of_a_queue, of_a_key, of_a_cron_ticker])
def test_a_run_beside_a_backlog_is_claimed_with_the_second_batch(
    core: Core, clock: ManualClock, backlog: Callable[[Core], UUID]
) -> None:
    wanted = backlog(core)
    clock.advance(hours=3)
    fire(core)
    claimer = Claimer(core)
    assert wanted not in claimed(claimer)
    assert claimed(claimer) == {wanted}


def test_the_backlog_goes_on_between_two_looks_at_what_lies_behind_it(core: Core, clock: ManualClock) -> None:
    backlog = set(make_runs(core, 60))
    others = [make_run(core, "Other", execution_time=LATER) for _ in range(3)]
    clock.advance(hours=3)
    claimer = Claimer(core)
    assert claimed(claimer) < backlog
    assert claimed(claimer) == set(others)
    late = make_run(core, "Other")
    assert claimed(claimer) < backlog
    clock.advance(seconds=1)
    assert claimed(claimer) == {late}


def test_beside_two_backlogs_a_third_function_comes_round_with_the_next_look(
    core: Core, clock: ManualClock
) -> None:
    first, second = set(make_runs(core, 60)), set(make_runs(core, 60, "Other", execution_time=LATER))
    third = make_run(core, "Third", execution_time=LATER + timedelta(hours=1))
    clock.advance(hours=4)
    claimer = Claimer(core)
    batches = []
    for _ in range(4):
        batches.append(claimed(claimer))
        clock.advance(seconds=1)
    assert batches[0] < first
    assert batches[1] < second
    assert batches[2] == {third}
    # And then of the second again: nothing is left out for longer than it takes to look at the others.
    assert batches[3] < second


def test_a_claim_without_a_backlog_looks_behind_none(core: Core) -> None:
    claimer = Claimer(core)
    make_runs(core, 9)
    assert len(claimed(claimer)) == 9
    make_runs(core, 3)
    assert len(statements_of(core, lambda: claimed(claimer))) <= 3


def test_a_run_behind_a_backlog_that_must_wait_is_held_for_its_own_cause(
    core: Core, clock: ManualClock
) -> None:
    make_runs(core, 60)
    unknown = make_run(core, "Unknown", execution_time=LATER)
    clock.advance(hours=3)
    claimer = Claimer(core)
    claimed(claimer), claimed(claimer)
    row = row_of(core, unknown)
    assert (row.held_for, row.hold_key) == (HoldReason.FUNCTION, "Unknown")


def test_runs_are_held_by_one_statement_whatever_their_causes(make_core: MakeCore) -> None:
    core = enrolled(make_core(send(max_concurrency=1), batch_size=500))
    paused = make_cron(core, "* * * * *")
    crons(core).pause(paused)
    ids = {
        HoldReason.LIMIT: make_runs(core, 100),
        HoldReason.FUNCTION: make_runs(core, 50, "Unknown") + make_runs(core, 50, "Gone"),
    }
    claimer = Claimer(core)
    urgent = make_run(core, priority=TickerPriority.HIGH)
    sent = statements_of(core, lambda: claimed(claimer))
    assert sum("SET held_since" in each for each in sent) == 1
    assert row_of(core, urgent).held_for is None
    for reason, own in ids.items():
        rows = [row_of(core, run_id) for run_id in own]
        assert {row.held_for for row in rows} == {reason}
        assert {row.hold_key for row in rows} == {row.function for row in rows}
