"""A process that is stalled for a while and then goes on, in a world that went on without it."""

import signal
from collections.abc import Callable, Collection
from pathlib import Path
from uuid import UUID

import pytest

from tests.acceptance.jobs import Jobs, due_in
from tests.acceptance.processes import CeleryProcess
from tests.acceptance.waiting import wait_until
from tests.inner import CrashPoint
from tests.windows.history import CALM, assert_nothing_lost_nothing_doubled
from tests.windows.outages import Outage, is_write_locked
from tests.windows.pairs import in_each
from tests.windows.stage import (
    SHORT_LEASE,
    add,
    publish_again,
    start_beat,
    start_worker,
    wait_for_nodes,
    wait_for_rest,
    wait_for_start,
    with_children,
)
from tests.windows.traps import Trap
from tests.windows.windows import (
    LOCKING_FINISH,
    LOCKING_START,
    LONE_ZOMBIE,
    REDELIVERED,
    STORE_UNREACHABLE,
    TWICE,
    ZOMBIES,
    Window,
)
from tickerq_celery import TickerStatus

pytestmark = pytest.mark.acceptance
# After how many seconds Redis delivers again what was not acknowledged, and how often a worker looks for it.
SOON_VISIBLE = {"visibility_timeout": 1, "unacked_restore_interval": 0.2, "unacked_restore_throttle": 1}


@in_each(*ZOMBIES)
def test_the_late_finish_of_a_worker_that_was_taken_for_dead_changes_nothing(
    window: Window, trap: Trap, make_quick: Callable[..., Jobs]
) -> None:
    jobs = make_quick(lease=SHORT_LEASE)
    zombie = start_worker(jobs, trap=trap)
    start_beat(jobs)
    wait_for_nodes(jobs, workers=1, beats=1)
    [first] = jobs.node_names("worker")
    [run_id] = add(jobs, 1, window.request)
    trap.wait(zombie)
    start_worker(jobs)
    wait_for_start(jobs, run_id, claim_no=2)
    # Its run is rescued before its row is removed, and a heartbeat between the two would keep the row.
    wait_until(lambda: first not in jobs.node_names("worker"), jobs.logs)
    zombie.signal(signal.SIGCONT)
    zombie.wait_for("which is not recorded: its claim was superseded")
    zombie.wait_for(f"node {first} had been declared dead, it registers again")
    run = jobs.wait_for_status(run_id)
    assert_nothing_lost_nothing_doubled(jobs, {run_id: window.trail})
    lost, done = run.attempts
    assert (lost.exception_type, done.exception_type) == ("WorkerLost", None)
    assert done.node != first


@pytest.mark.verify
@in_each(LONE_ZOMBIE)
def test_a_worker_that_was_taken_for_dead_may_run_again_what_it_could_not_finish(
    window: Window, trap: Trap, make_quick: Callable[..., Jobs]
) -> None:
    jobs = make_quick(lease=SHORT_LEASE)
    zombie = start_worker(jobs, trap=trap)
    start_beat(jobs)
    wait_for_nodes(jobs, workers=1, beats=1)
    [run_id] = add(jobs)
    trap.wait(zombie)
    # Rescued, and not claimed again, as no worker that lives has its function.
    wait_until(lambda: jobs.run(run_id).held_for == "function", jobs.logs)
    zombie.signal(signal.SIGCONT)
    zombie.wait_for("which is not recorded: its claim was superseded")
    wait_for_rest(jobs)
    assert_nothing_lost_nothing_doubled(jobs, {run_id: window.trail})


def let_go_and_check(jobs: Jobs, zombie: CeleryProcess, ids: Collection[UUID]) -> None:
    zombie.signal(signal.SIGCONT)
    start_beat(jobs)
    wait_for_rest(jobs)
    assert_nothing_lost_nothing_doubled(jobs, dict.fromkeys(ids, CALM))


@in_each(LOCKING_START)
def test_a_worker_that_is_stalled_in_its_start_keeps_beat_from_nothing(
    window: Window,
    trap: Trap,
    make_quick: Callable[..., Jobs],
    store_url: str,
    tmp_path: Path,
) -> None:
    jobs = make_quick()
    # So that the worker has begun what beat has not stamped yet.
    pause = Trap.at(CrashPoint.PUBLISHED, signal.SIGSTOP, token=tmp_path / "pause")
    zombie, beat = start_worker(jobs, trap=trap), start_beat(jobs, trap=pause)
    wait_for_nodes(jobs, workers=1, beats=1)
    [run_id] = add(jobs, execution_time=due_in(0.3), children=window.children)
    [other_work] = add(jobs, execution_time=due_in(1))
    pause.wait(beat)
    trap.wait(zombie)
    start_worker(jobs)
    beat.signal(signal.SIGCONT)
    if store_url.startswith("sqlite"):
        assert is_write_locked(store_url)
    else:
        jobs.wait_for_status(other_work, seconds=5)
    assert beat.stop(10) == 0
    let_go_and_check(jobs, zombie, [*with_children(jobs, run_id), other_work])


@pytest.mark.verify
@in_each(LOCKING_FINISH)
def test_a_worker_that_is_stalled_in_its_finish_keeps_beat_from_nothing(
    window: Window,
    trap: Trap,
    make_quick: Callable[..., Jobs],
    store_url: str,
) -> None:
    jobs = make_quick(lease=SHORT_LEASE)
    zombie, beat = start_worker(jobs, trap=trap), start_beat(jobs)
    wait_for_nodes(jobs, workers=1, beats=1)
    # By then the zombie has been taken for dead, and beat wants to rescue what it runs.
    [other_work] = add(jobs, execution_time=due_in(SHORT_LEASE + 2))
    [run_id] = add(jobs, children=window.children)
    trap.wait(zombie)
    start_worker(jobs)
    if store_url.startswith("sqlite"):
        assert is_write_locked(store_url)
    else:
        jobs.wait_for_status(other_work, seconds=SHORT_LEASE + 5)
    assert beat.stop(10) == 0
    let_go_and_check(jobs, zombie, [*with_children(jobs, run_id), other_work])


@in_each(TWICE)
def test_of_two_workers_with_the_same_message_one_runs_it(
    window: Window, trap: Trap, make_quick: Callable[..., Jobs]
) -> None:
    jobs = make_quick()
    workers = [start_worker(jobs, trap=trap) for _ in range(2)]
    wait_for_nodes(jobs, workers=2)
    [run_id] = add(jobs, 1, {"seconds": 0.5})
    frozen = trap.wait(*workers)
    # RabbitMQ hands the first of them to the one that is frozen.
    publish_again(jobs, run_id, times=2)
    wait_for_start(jobs, run_id, claim_no=1)
    frozen.signal(signal.SIGCONT)
    frozen.wait_for(f"dropped a stale message of run {run_id}, claim 1")
    wait_for_rest(jobs)
    assert_nothing_lost_nothing_doubled(jobs, {run_id: window.trail})


@pytest.mark.verify
@in_each(REDELIVERED)
def test_a_message_that_is_delivered_again_after_its_run_has_ended_is_dropped(
    window: Window, trap: Trap, make_quick: Callable[..., Jobs], broker_url: str
) -> None:
    late_acks: dict[str, object] = {"task_annotations": {"tickerq.Traced": {"acks_late": True}}}
    if broker_url.startswith("redis"):
        late_acks["broker_transport_options"] = SOON_VISIBLE
    jobs = make_quick()
    victim = start_worker(jobs, trap=trap, celery=late_acks)
    wait_for_nodes(jobs, workers=1)
    [run_id] = add(jobs)
    trap.wait(victim)
    assert victim.wait() == -signal.SIGKILL
    assert jobs.run(run_id).status is TickerStatus.DONE
    if broker_url.startswith("tickerq-fs"):
        publish_again(jobs, run_id)  # this broker delivers nothing again by itself
    other = start_worker(jobs, celery=late_acks)
    other.wait_for(f"dropped a stale message of run {run_id}, claim 1")
    assert_nothing_lost_nothing_doubled(jobs, {run_id: window.trail})


@in_each(STORE_UNREACHABLE, store="own_store")
def test_a_run_that_could_not_start_for_want_of_the_store_starts_when_it_is_back(
    window: Window, trap: Trap, make_on: Callable[..., Jobs], own_store: Outage, broker_url: str
) -> None:
    jobs = make_on(own_store.url, broker_url)
    jobs.tickerq.create_schema()
    worker = start_worker(jobs, trap=trap)
    wait_for_nodes(jobs, workers=1)
    [run_id] = add(jobs)
    trap.wait(worker)
    own_store.stop()
    worker.signal(signal.SIGCONT)
    # Only now: connections that are open outlive the removal of SQLite's file.
    beat = start_beat(jobs)
    worker.wait_for(f"run {run_id} is not started: store unreachable")
    beat.wait_for("beat paused: store unreachable")
    own_store.start()
    wait_for_rest(jobs)
    assert_nothing_lost_nothing_doubled(jobs, {run_id: window.trail})
    beat.wait_for("beat resumed: store reachable")
    assert not worker.lines("was lost")
