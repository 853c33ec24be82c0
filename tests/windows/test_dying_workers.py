"""Who runs bodies dies: a child of a pool alone, or a whole worker."""

import itertools
import signal
from collections.abc import Callable
from uuid import UUID

import pytest

from tests.acceptance.jobs import Jobs
from tests.acceptance.processes import CeleryProcess
from tests.acceptance.waiting import wait_until
from tests.inner import CrashPoint
from tests.tables import tickers
from tests.windows.history import CALM, assert_nothing_lost_nothing_doubled
from tests.windows.pairs import in_each
from tests.windows.stage import (
    SHORT_LEASE,
    add,
    assert_handler_was_called,
    start_beat,
    start_worker,
    wait_for_nodes,
    wait_for_rest,
    with_children,
)
from tests.windows.traps import Trap
from tests.windows.windows import CHAINS, CHILDREN, LIMITED, PREFETCHED, WORKERS, Window
from tickerq_celery import RunCondition, TickerStatus, TimeTicker

pytestmark = pytest.mark.acceptance


def add_first(jobs: Jobs, worker: CeleryProcess, window: Window) -> UUID:
    """Add a ticker that comes before those that are added next, and return its id.

    Beat may have claimed it before this process could, and publish it a moment later.
    """
    [run_id] = add(jobs, 1, window.request, children=window.children)
    is_out = tickers.c.published_at.is_not(None) | tickers.c.started_at.is_not(None)
    wait_until(lambda: jobs.count(is_out) == 1 or not worker.is_alive(), jobs.logs)
    return run_id


@in_each(*CHILDREN)
def test_what_a_dead_child_had_in_its_hands_is_run_by_the_next_one(
    window: Window, trap: Trap | None, make_quick: Callable[..., Jobs]
) -> None:
    jobs = make_quick()
    worker = start_worker(jobs, trap=trap, pool="prefork")
    beat = start_beat(jobs)
    wait_for_nodes(jobs, workers=1, beats=1)
    hit = add_first(jobs, worker, window)
    others = [*with_children(jobs, hit)[1:], *add(jobs, 2)]
    if trap is not None:
        trap.wait(worker)
    wait_for_rest(jobs)
    assert worker.is_alive()
    assert_nothing_lost_nothing_doubled(jobs, {hit: window.trail, **dict.fromkeys(others, CALM)})
    assert_handler_was_called(jobs, hit, times=window.handled, beat=beat)


@in_each(*WORKERS)
def test_what_a_dead_worker_had_in_its_hands_is_run_by_another(
    window: Window, trap: Trap | None, make_quick: Callable[..., Jobs]
) -> None:
    jobs = make_quick(republish_after=60, lease=SHORT_LEASE)
    victim, beat = start_worker(jobs, trap=trap), start_beat(jobs)
    wait_for_nodes(jobs, workers=1, beats=1)
    [dead] = jobs.node_names("worker")
    hit = add_first(jobs, victim, window)
    others = [*with_children(jobs, hit)[1:], *add(jobs, 2)]
    if trap is not None:
        trap.wait(victim)
    assert victim.wait() == -signal.SIGKILL
    start_worker(jobs)
    wait_for_rest(jobs)
    assert_nothing_lost_nothing_doubled(jobs, {hit: window.trail, **dict.fromkeys(others, CALM)})
    beat.wait_for(f"node {dead} is dead: no heartbeat for one lease")
    said = beat.lines(f"run {hit} of Traced was lost and starts again", f"{dead} gives no sign of life")
    assert len(said) == window.trail.rescues, beat.log
    assert_handler_was_called(jobs, hit, times=window.handled, beat=beat)


@in_each(*PREFETCHED)
def test_what_a_dead_worker_had_received_and_not_started_is_published_again(
    window: Window, trap: Trap, make_quick: Callable[..., Jobs], broker_url: str
) -> None:
    # The sweep would find each of them after that time, too.
    jobs = make_quick(republish_after=60, lease=SHORT_LEASE)
    victim, beat = start_worker(jobs, trap=trap, pool="prefork"), start_beat(jobs)
    wait_for_nodes(jobs, workers=1, beats=1)
    ids = add(jobs, 4, children=window.children)
    trap.wait(victim)
    # Where the broker is polled, a worker takes only one message more than it can run.
    received = 2 if broker_url.startswith("tickerq-fs") else len(ids)
    wait_until(lambda: len(victim.lines("tickerq.Traced", "received")) == received, jobs.logs)
    victim.kill()
    start_worker(jobs)
    wait_for_rest(jobs)
    every = with_children(jobs, *ids)
    assert_nothing_lost_nothing_doubled(jobs, dict.fromkeys(every, window.trail))
    assert beat.lines("publishing again")


@pytest.mark.verify
@in_each(LIMITED)
def test_the_attempt_the_retry_and_the_freed_slot_are_written_together_or_not_at_all(
    window: Window, trap: Trap, make_quick: Callable[..., Jobs]
) -> None:
    jobs = make_quick(lease=SHORT_LEASE)
    victim = start_worker(jobs, trap=trap)
    wait_for_nodes(jobs, workers=1)
    [failing] = add(jobs, 1, window.request, function="Limited")
    [waiting] = add(jobs, 1, function="Limited")
    trap.wait(victim)
    assert victim.wait() == -signal.SIGKILL
    run = jobs.run(failing)
    assert (run.status, run.attempts, run.retry_count) == (TickerStatus.IN_PROGRESS, (), 0)
    assert jobs.run(waiting).held_for == "limit"
    start_beat(jobs)
    start_worker(jobs)
    wait_for_rest(jobs)
    assert_nothing_lost_nothing_doubled(jobs, {failing: window.trail, waiting: CALM})
    lost, failed, done = jobs.run(failing).attempts
    assert [each.exception_type for each in (lost, failed, done)] == ["WorkerLost", "ValueError", None]
    active = sorted(
        (each.started_at, each.ended_at) for each in (lost, failed, done, *jobs.run(waiting).attempts)
    )
    assert all(earlier[1] <= later[0] for earlier, later in itertools.pairwise(active)), active


@in_each(*CHAINS)
def test_the_end_of_a_parent_and_its_childs_activation_are_written_together_or_not_at_all(
    window: Window, trap: Trap, make_quick: Callable[..., Jobs]
) -> None:
    jobs = make_quick(lease=SHORT_LEASE)
    victim = start_worker(jobs, trap=trap)
    wait_for_nodes(jobs, workers=1)
    below = TimeTicker(function="Traced", run_condition=RunCondition.ON_SUCCESS)
    child = TimeTicker(function="Traced", run_condition=RunCondition.ON_SUCCESS, children=[below])
    [parent] = add(jobs, 1, children=[child])
    trap.wait(victim)
    assert victim.wait() == -signal.SIGKILL
    [waiting] = jobs.tickerq.time_tickers.find(parent_id=parent)
    [last] = jobs.tickerq.time_tickers.find(parent_id=waiting.id)
    has_ended = window.point is CrashPoint.FINISHED
    assert jobs.run(parent).status is (TickerStatus.DONE if has_ended else TickerStatus.IN_PROGRESS)
    assert (waiting.held_for, waiting.next_attempt_at is None) == (
        (None, False) if has_ended else ("parent", True)
    )
    start_beat(jobs)
    start_worker(jobs)
    wait_for_rest(jobs)
    assert_nothing_lost_nothing_doubled(jobs, {parent: window.trail, waiting.id: CALM, last.id: CALM})
