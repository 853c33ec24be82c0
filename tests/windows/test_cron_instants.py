"""Beats that die while they fire, clocks that are wrong: each instant has its one occurrence, at its time."""

import signal
from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.acceptance.jobs import Jobs, due_in
from tests.acceptance.occurrences import assert_each_instant_is_recorded_once, stop_firing
from tests.acceptance.waiting import wait_until
from tests.missed import missed
from tests.tables import tickers
from tests.windows.history import CALM, NOT_CLAIMED, assert_nothing_lost_nothing_doubled, run_ids
from tests.windows.outages import is_write_locked
from tests.windows.pairs import in_each
from tests.windows.stage import add, start_beat, start_worker, wait_for_nodes, wait_for_rest
from tests.windows.traps import Trap
from tests.windows.windows import CLOCKS, FROZEN_INSTANT, INSTANTS, Window
from tickerq_celery import Cron, CronTicker
from tickerq_celery.enums import NodeKind, TickerStatus

pytestmark = pytest.mark.acceptance
HOUR = timedelta(hours=1)
WAS_FIRED = tickers.c.cron_ticker_id.is_not(None)


def add_cron(jobs: Jobs) -> Cron:
    return jobs.tickerq.cron_tickers.add(CronTicker(function="Traced", expression="* * * * * *"))


def wait_for_instants(jobs: Jobs, more: int) -> None:
    seen = jobs.count(WAS_FIRED)
    wait_until(lambda: jobs.count(WAS_FIRED) >= seen + more, jobs.logs)


def stop_and_check(jobs: Jobs, cron: Cron) -> None:
    """Check that the cron ticker's instants have come to a good end, once each and never early."""
    reached = stop_firing(jobs, cron.id)
    wait_for_rest(jobs)
    assert_each_instant_is_recorded_once(jobs, cron, before=reached)
    occurrences = jobs.tickerq.cron_tickers.occurrences(cron.id, limit=100)
    # On a slow machine some were not claimed when it was stopped: the last ones, or missed ones.
    skipped = [run for run in occurrences if run.status is TickerStatus.SKIPPED]
    started = [run for run in occurrences if run.status is not TickerStatus.SKIPPED]
    trails = dict.fromkeys(run_ids(jobs), CALM) | dict.fromkeys((run.id for run in skipped), NOT_CLAIMED)
    assert_nothing_lost_nothing_doubled(jobs, trails)
    last = max(run.execution_time for run in started)
    assert all(run.execution_time > last for run in skipped if missed(run.skipped_reason) is None)
    for run in started:
        assert jobs.run(run.id).attempts[0].started_at >= run.execution_time


@in_each(*INSTANTS)
def test_each_instant_has_one_occurrence_though_a_beat_dies_while_it_fires(
    window: Window, trap: Trap, make_quick: Callable[..., Jobs]
) -> None:
    jobs = make_quick()
    start_worker(jobs)
    beats = [start_beat(jobs, trap=trap) for _ in range(2)]
    wait_for_nodes(jobs, workers=1, beats=2)
    cron = add_cron(jobs)
    victim = trap.wait(*beats)
    assert victim.wait() == -signal.SIGKILL
    wait_for_instants(jobs, 2)
    stop_and_check(jobs, cron)


@pytest.mark.verify
@in_each(FROZEN_INSTANT)
def test_each_instant_has_one_occurrence_though_a_beat_is_stalled_while_it_fires(
    window: Window, trap: Trap, make_quick: Callable[..., Jobs], store_url: str
) -> None:
    jobs = make_quick()
    start_worker(jobs)
    beats = [start_beat(jobs, trap=trap) for _ in range(2)]
    wait_for_nodes(jobs, workers=1, beats=2)
    cron = add_cron(jobs)
    frozen = trap.wait(*beats)
    if store_url.startswith("sqlite"):
        assert is_write_locked(store_url)
    else:
        [other_work] = add(jobs, execution_time=due_in(0.5))
        jobs.wait_for_status(other_work)
    assert jobs.count(WAS_FIRED) == 0
    frozen.signal(signal.SIGCONT)
    wait_for_instants(jobs, 2)
    stop_and_check(jobs, cron)


@in_each(CLOCKS)
def test_clocks_that_are_an_hour_wrong_rescue_no_run_and_fire_nothing_early_or_twice(
    window: Window, make_quick: Callable[..., Jobs]
) -> None:
    # Where the machine is slow a message waits for longer than a second, and its repeat is another claim;
    # by a clock that is an hour wrong it would be repeated at once all the same.
    jobs = make_quick(republish_after=60.0)
    worker = start_worker(jobs, functions="every second", clock_offset=-HOUR.total_seconds())
    wait_for_nodes(jobs, workers=1)
    [cron] = jobs.tickerq.cron_tickers.find()
    beat = start_beat(jobs, clock_offset=HOUR.total_seconds())
    wait_for_nodes(jobs, beats=1)
    [later] = add(jobs, execution_time=due_in(1.5))
    [running] = add(jobs, 1, {"seconds": 2})
    wait_for_instants(jobs, 2)
    jobs.wait_for_all([later, running])
    stop_and_check(jobs, cron)
    run = jobs.run(later)
    assert run.execution_time is not None
    assert run.attempts[0].started_at >= run.execution_time
    for process in (worker, beat):
        assert not process.lines("is dead") + process.lines("was lost") + process.lines("declared dead")
    found = {node.kind: node.clock_offset for node in jobs.tickerq.nodes.find()}
    assert abs(found[NodeKind.WORKER] + HOUR) < timedelta(seconds=10)
    assert abs(found[NodeKind.BEAT] - HOUR) < timedelta(seconds=10)
