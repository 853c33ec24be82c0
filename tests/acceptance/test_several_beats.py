"""Any number of beats, started, killed and restarted: each ticker starts once, each instant fires once."""

import itertools
from datetime import datetime, timedelta

import pytest

from tests.acceptance.processes import Jobs, due_in, on_each_pair, on_files, wait_until
from tickerq_celery import CronTicker, TickerStatus, TickerType
from tickerq_celery.models import tickers

pytestmark = pytest.mark.acceptance


def fired_instants(jobs: Jobs) -> list[datetime]:
    """Return what the occurrences were scheduled for, as the function saw it."""
    found = jobs.tickerq.runs.find(type=TickerType.CRON_TICKER_OCCURRENCE, limit=100).items
    return sorted(run.execution_time for run in found if run.execution_time is not None)


@on_each_pair
def test_three_beats_start_each_ticker_once_and_fire_each_instant_once(jobs: Jobs) -> None:
    jobs.worker()
    beats = [jobs.beat() for _ in range(3)]
    wait_until(lambda: len(jobs.node_names("beat")) == 3, jobs.logs)
    cron = CronTicker(function="Plain", expression="* * * * * *")
    cron_id = jobs.tickerq.cron_tickers.add(cron).id
    ids = jobs.add_many(300, execution_time=due_in(1))
    jobs.wait_for_all(ids)
    wait_until(lambda: len(fired_instants(jobs)) >= 4, jobs.logs)
    jobs.tickerq.cron_tickers.pause(cron_id)
    wait_until(lambda: jobs.count(tickers.c.ended_at.is_(None)) == 0, jobs.logs)

    starts = jobs.starts()
    assert {starts[str(run_id)] for run_id in ids} == {1}
    assert set(starts.values()) == {1}
    assert jobs.count(tickers.c.claim_no != 1) == 0
    instants = fired_instants(jobs)
    steps = {later - earlier for earlier, later in itertools.pairwise(instants)}
    assert steps == {timedelta(seconds=1)}
    for beat in beats:
        assert beat.stop(5) == 0
        assert "Traceback" not in beat.log


@on_files
def test_what_a_killed_beat_left_behind_is_finished_by_the_next_without_a_double_start(jobs: Jobs) -> None:
    jobs.worker()
    unpublished = (tickers.c.status == TickerStatus.QUEUED, tickers.c.published_at.is_(None))
    ids = jobs.add_many(600, execution_time=due_in(1))
    beat = jobs.beat()
    wait_until(lambda: jobs.count(*unpublished), jobs.logs)
    beat.kill()
    assert jobs.count(tickers.c.ended_at.is_(None)) > 0, "beat had finished before it was killed"
    jobs.beat()
    jobs.wait_for_all(ids)
    assert set(jobs.starts().values()) == {1}
    assert jobs.count(tickers.c.claim_no != 1) == 0


@on_files
def test_the_row_of_a_killed_beat_goes_after_one_lease(jobs: Jobs) -> None:
    killed = jobs.beat()
    wait_until(lambda: jobs.node_names("beat"), jobs.logs)
    dead = jobs.node_names("beat")
    killed.kill()
    other = jobs.beat()
    wait_until(lambda: not dead & jobs.node_names("beat"), jobs.logs)
    wait_until(lambda: other.lines("is dead: no heartbeat for one lease"), jobs.logs)
    assert len(other.lines("is dead: no heartbeat for one lease")) == 1
    assert len(jobs.node_names("beat")) == 1
