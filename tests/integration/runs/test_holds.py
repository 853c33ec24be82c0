"""Holds: what may not run stands aside and blocks no other run until its cause is gone."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from uuid import UUID

import pytest

from tests.inner import Claimer, Core, NodeRegistration, Recorder, profile, succeeded
from tests.integration.conftest import send
from tests.integration.cron.firing import fire
from tests.integration.making import (
    another_node,
    at_once,
    claim,
    crons,
    edit_cron,
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
    row_of,
    start,
    started,
    worker_profile,
)
from tests.manual_clock import START, ManualClock
from tests.statements import concurrency, nodes
from tickerq_celery.enums import HoldReason, NodeKind, TickerPriority, TickerStatus
from tickerq_celery.runs.holds import Released

MakeCore = Callable[..., Core]


def held(core: Core, ids: Sequence[UUID]) -> dict[UUID, str]:
    rows = {run_id: row_of(core, run_id) for run_id in ids}
    return {run_id: row.held_for for run_id, row in rows.items() if row.held_for is not None}


def claimed_ids(core: Core) -> set[UUID]:
    return {each.id for each in claim(core)}


def fired(core: Core, clock: ManualClock) -> tuple[UUID, UUID]:
    """Return an hourly cron ticker and its occurrence, which is due."""
    cron_id = make_cron(core)
    clock.advance(hours=1)
    fire(core)
    (occurrence,) = occurrences_of(core, cron_id)
    return cron_id, occurrence.id


def test_a_held_run_is_idle_not_due_and_unclaimed(core: Core) -> None:
    run_id = make_run(core)
    assert claim(core) == []
    row = row_of(core, run_id)
    assert (row.status, row.due_at, row.claim_no) == (TickerStatus.IDLE, None, 0)
    assert (row.held_for, row.hold_key) == (HoldReason.FUNCTION, "Send")


def test_a_function_that_no_worker_has_is_said_once_until_one_has_it(
    core: Core, caplog: pytest.LogCaptureFixture
) -> None:
    claimer, line = Claimer(core), "runs of Send are held: no live worker has this function"
    for _ in range(2):
        make_run(core)
        claimer.claim(holder="beat")
    assert caplog.text.count(line) == 1
    enrolled(core)
    make_run(core)
    claimer.claim(holder="beat")
    core.write(nodes.remove, core.node.id)
    make_run(core)
    claimer.claim(holder="beat")
    assert caplog.text.count(line) == 2


def test_a_run_whose_function_no_live_worker_has_waits_until_one_enrols(core: Core) -> None:
    run_id = make_run(core)
    claim(core)
    enrolled(core)
    row = row_of(core, run_id)
    assert (row.held_for, row.hold_key, row.due_at) == (None, None, START)
    assert claimed_ids(core) == {run_id}


def test_a_beat_is_no_worker_though_it_knows_the_function(core: Core) -> None:
    beat = profile(core, NodeKind.BEAT)
    core.write(NodeRegistration(beat).register)
    make_run(core)
    assert claim(core) == []


def test_a_worker_releases_only_what_its_functions_can_run(make_core: MakeCore) -> None:
    ours = make_core(send())
    run_id, other = make_run(ours), make_run(ours, "Other")
    claim(ours)
    enrolled(ours)
    assert held(ours, [run_id, other]) == {other: HoldReason.FUNCTION}


def test_function_names_differ_by_case(make_core: MakeCore) -> None:
    core = enrolled(make_core(send("send")))
    small, large = make_run(core, "send"), make_run(core, "Send")
    assert claimed_ids(core) == {small}
    assert held(core, [small, large]) == {large: HoldReason.FUNCTION}


def test_the_sweep_releases_the_hold_of_a_function_that_a_worker_has(core: Core) -> None:
    run_id = make_run(core)
    claim(core)
    _register_quietly(core)
    assert release_holds(core) == 1
    assert claimed_ids(core) == {run_id}


def test_a_sweep_says_when_there_may_be_more_holds_to_release(make_core: MakeCore) -> None:
    core = make_core(send(), batch_size=2)
    make_runs(core, 3)
    claim(core), claim(core)
    _register_quietly(core)
    released = [core.write(Claimer(core).release_holds) for _ in range(2)]
    assert released == [Released(count=2, is_full=True), Released(count=1, is_full=False)]


def _register_quietly(core: Core) -> None:
    """Write a worker's row without releasing, as when a beat holds a run that very moment."""
    core.write(NodeRegistration(worker_profile(core)).register)


def test_a_run_is_held_again_when_the_last_worker_has_left(core: Core) -> None:
    enrolled(core)
    core.write(nodes.remove, core.node.id)
    run_id = make_run(core)
    assert claim(core) == []
    assert held(core, [run_id]) == {run_id: HoldReason.FUNCTION}


def test_a_functions_limit_counts_queued_and_running(make_core: MakeCore) -> None:
    core = enrolled(make_core(send(max_concurrency=2)))
    first, second, third = make_runs(core, 3)
    started(core, first)
    assert claimed_ids(core) == {second}
    assert held(core, [first, second, third]) == {third: HoldReason.LIMIT}


def test_a_limit_is_the_functions_own(make_core: MakeCore) -> None:
    core = enrolled(make_core(send(max_concurrency=1), send("Other")))
    make_runs(core, 3)
    others = make_runs(core, 3, "Other")
    assert len(claimed_ids(core) & set(others)) == 3


def test_where_workers_differ_the_smallest_limit_counts(make_core: MakeCore) -> None:
    core = enrolled(make_core(send(max_concurrency=3)))
    enrolled(another_node(make_core(send(max_concurrency=1))))
    make_runs(core, 3)
    assert len(claim(core)) == 1


@pytest.mark.row_locks
def test_beats_that_claim_at_once_never_exceed_a_limit(make_core: MakeCore) -> None:
    core = enrolled(make_core(send(max_concurrency=5), batch_size=4))
    for _ in range(10):
        ids = make_runs(core, 24)
        with processes(core, 4) as beats:
            taken = at_once(*(lambda beat=beat: claim(beat) for beat in beats))
        claimed = sum(len(part) for part in taken)
        assert 0 < claimed <= 5
        # What the beats hid from each other is claimed now, and no more.
        core.write(Claimer(core).release_holds)
        assert claimed + len(claim(core)) + len(claim(core)) == 5
        remove_runs(core, ids)


@pytest.mark.parametrize("end", ["done", "retry", "rescue"])
def test_the_end_of_an_attempt_gives_its_slot_to_the_oldest_run_that_waits(
    make_core: MakeCore, end: str
) -> None:
    core = enrolled(make_core(send(max_concurrency=1)))
    first, second, third = make_runs(core, 3, retries=1)
    run = started(core, first)
    claim(core)
    assert set(held(core, [second, third])) == {second, third}
    if end == "done":
        finish(core, run, succeeded(run.standing))
    elif end == "retry":
        fail(core, run)
    else:
        Recorder(core).rescue(run, "worker lost")
    assert set(held(core, [second, third])) == {third}


def test_an_end_that_is_not_accepted_frees_no_slot(make_core: MakeCore) -> None:
    core = enrolled(make_core(send(max_concurrency=1)))
    first, second, third = make_runs(core, 3)
    run = started(core, first)
    claim(core)
    finish(core, run, succeeded(run.standing))
    finish(core, run, succeeded(run.standing))
    assert set(held(core, [second, third])) == {third}


def test_the_sweep_gives_free_slots_to_runs_that_wait(make_core: MakeCore) -> None:
    core = enrolled(make_core(send(max_concurrency=2)))
    ids = make_runs(core, 5)
    batch = claim(core)
    assert release_holds(core) == 0
    give_back(core, batch)
    assert release_holds(core) == 2
    assert len(held(core, ids)) == 1


def test_a_function_that_has_lost_its_limit_gets_all_its_runs_back(make_core: MakeCore) -> None:
    core = enrolled(make_core(send(max_concurrency=1)))
    ids = make_runs(core, 4)
    claim(core)
    enrolled(make_core(send()))
    core.write(nodes.remove, core.node.id)
    assert release_holds(core) == 3
    assert held(core, ids) == {}


def test_a_full_queue_takes_no_more_and_leaves_other_queues_alone(make_core: MakeCore) -> None:
    core = enrolled(make_core(send(), max_queued=2))
    ids = make_runs(core, 3, queue="mail")
    elsewhere = make_runs(core, 2)
    assert claimed_ids(core) == {*ids[:2], *elsewhere}
    assert held(core, ids) == {ids[2]: HoldReason.LIMIT}


def test_only_the_queues_that_are_asked_for_are_counted(core: Core) -> None:
    enrolled(core)
    for queue in (None, "mail", "mail", "other"):
        make_run(core, queue=queue)
    claim(core)

    def counted(*queues: str | None) -> dict[str | None, int]:
        return core.read(concurrency.queued_per_queue, queues)

    assert counted() == {}
    assert counted(None) == {None: 1}
    assert counted(None, "mail", "empty") == {None: 1, "mail": 2}


def test_what_runs_takes_no_room_in_its_queue(make_core: MakeCore) -> None:
    core = enrolled(make_core(send(), max_queued=1))
    first, second = make_runs(core, 2)
    started(core, first)
    assert claimed_ids(core) == {second}


def test_the_sweep_releases_as_many_runs_as_a_queue_has_room_for(make_core: MakeCore) -> None:
    core = enrolled(make_core(send(), max_queued=3))
    ids = make_runs(core, 6, queue="mail")
    batch = claim(core)
    assert release_holds(core) == 0
    for each in batch[:2]:
        start(core, each)
    assert release_holds(core) == 2
    assert len(held(core, ids)) == 1


@pytest.mark.parametrize(("max_queued", "max_concurrency"), [(4, None), (99, 4)])
def test_a_sweep_releases_no_more_than_the_next_claim_takes(
    make_core: MakeCore, max_queued: int, max_concurrency: int | None
) -> None:
    core = enrolled(make_core(send(max_concurrency=max_concurrency), batch_size=2, max_queued=max_queued))
    ids = make_runs(core, 8)
    batch = [*claim(core), *claim(core)]
    assert claim(core) == claim(core) == []
    assert len(held(core, ids)) == 4
    remove_runs(core, [each.id for each in batch])
    released = []
    for _ in range(3):
        released.append(core.write(Claimer(core).release_holds))
        claim(core)
    assert [(each.count, each.is_full) for each in released] == [(2, True), (2, True), (0, False)]


def test_room_in_a_full_queue_and_in_a_full_function_goes_to_the_most_urgent_first(
    make_core: MakeCore,
) -> None:
    core = enrolled(make_core(send(max_concurrency=2), send("Other"), max_queued=2))
    for function in ("Send", "Other"):
        make_runs(core, 2, function, queue=function)
    batch = claim(core)
    runs = {
        function: [
            make_run(core, function, queue=function, priority=each)
            for each in (TickerPriority.LOW, TickerPriority.HIGH)
        ]
        for function in ("Send", "Other")
    }
    assert claim(core) == []
    give_back(core, [batch[0], batch[2]])
    remove_runs(core, [batch[0].id, batch[2].id])
    assert release_holds(core) == 2
    assert {function: list(held(core, ids)) for function, ids in runs.items()} == {
        function: [ids[0]] for function, ids in runs.items()
    }


def test_an_occurrence_of_a_paused_cron_ticker_waits_until_it_is_resumed(
    core: Core, clock: ManualClock
) -> None:
    enrolled(core)
    cron_id, run_id = fired(core, clock)
    crons(core).pause(cron_id)
    assert claim(core) == []
    assert held(core, [run_id]) == {run_id: HoldReason.PAUSED}
    crons(core).resume(cron_id)
    assert claimed_ids(core) == {run_id}


def _pause_without_holding(core: Core, cron_id: UUID) -> None:
    """Pause as seen by a beat that fired the occurrence just before."""
    edit_cron(core, cron_id, is_enabled=False)


def test_a_claim_holds_an_occurrence_whose_cron_ticker_is_paused(core: Core, clock: ManualClock) -> None:
    enrolled(core)
    cron_id, run_id = fired(core, clock)
    _pause_without_holding(core, cron_id)
    assert claim(core) == []
    assert held(core, [run_id]) == {run_id: HoldReason.PAUSED}
    assert release_holds(core) == 0


def test_the_sweep_releases_the_hold_of_a_cron_ticker_that_is_not_paused_any_more(
    core: Core, clock: ManualClock
) -> None:
    enrolled(core)
    cron_id, run_id = fired(core, clock)
    crons(core).pause(cron_id)
    edit_cron(core, cron_id, is_enabled=True)
    assert release_holds(core) == 1
    assert claimed_ids(core) == {run_id}


def test_a_hold_does_not_make_a_run_late(core: Core, clock: ManualClock) -> None:
    run_id = make_run(core)
    claim(core)
    clock.advance(hours=3)
    enrolled(core)
    claim(core)
    assert row_of(core, run_id).is_late is False


def test_runs_that_may_not_run_never_starve_others(make_core: MakeCore, clock: ManualClock) -> None:
    core = enrolled(make_core(send(), batch_size=10))
    make_runs(core, 50, "Unknown")
    wanted = make_run(core, execution_time=START + timedelta(seconds=1))
    clock.advance(minutes=1)
    found = next(number for number in range(1, 10) if wanted in claimed_ids(core))
    assert found == 6
    later = make_run(core)
    assert claimed_ids(core) == {later}
