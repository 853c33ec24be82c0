"""Any number of beats, started, killed and restarted: each ticker starts once, each instant fires once."""

import os
import random
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.acceptance.jobs import UNSTAMPED, Jobs, due_in
from tests.acceptance.occurrences import (
    SECOND,
    assert_each_instant_is_recorded_once,
    fired,
    recorded,
    stop_firing,
)
from tests.acceptance.pairs import on_each_pair, on_files
from tests.acceptance.processes import CeleryProcess
from tests.acceptance.waiting import wait_until
from tests.tables import tickers
from tests.thoroughness import in_proof, in_verify
from tickerq_celery import CronTicker, MisfirePolicy

pytestmark = pytest.mark.acceptance

EVERY_SECOND = CronTicker(function="Plain", expression="* * * * * *")
# None of its instants is skipped, whatever dies for how long.
WHATEVER_DIES = replace(EVERY_SECOND, misfire=MisfirePolicy.RUN_ALL, misfire_limit=1_000)
WAYS_TO_END = (signal.SIGKILL, signal.SIGTERM)


@pytest.mark.verify  # tests/integration has beats that claim and fire at once, tests/windows two real ones
@on_each_pair
def test_three_beats_start_each_ticker_once_and_fire_each_instant_once(
    make_jobs: Callable[..., Jobs], store_url: str, broker_url: str
) -> None:
    # Long: a beat that only stalls, as it may on a busy machine, is not taken for dead, nor claimed after.
    jobs = make_jobs(store_url, broker_url, lease=60.0)
    jobs.worker()
    beats = [jobs.beat() for _ in range(3)]
    wait_until(lambda: len(jobs.node_names("beat")) == 3, jobs.logs)
    cron = jobs.tickerq.cron_tickers.add(EVERY_SECOND)
    ids = jobs.add_many(60, execution_time=due_in(1))
    jobs.wait_for_all(ids)
    wait_until(lambda: len(fired(jobs, cron.id)) >= 4, jobs.logs)
    reached = stop_firing(jobs, cron.id)
    wait_until(lambda: jobs.count(tickers.c.ended_at.is_(None)) == 0, jobs.logs)

    starts = jobs.starts()
    assert {starts[str(run_id)] for run_id in ids} == {1}
    assert set(starts.values()) == {1}
    assert jobs.count(tickers.c.claim_no != 1) == 0
    assert_each_instant_is_recorded_once(jobs, cron, before=reached)
    for beat in beats:
        assert beat.stop() == 0
        assert "Traceback" not in beat.log


@pytest.mark.verify
@on_files
def test_what_a_killed_beat_left_behind_is_finished_by_the_next_without_a_double_start(jobs: Jobs) -> None:
    jobs.worker()
    ids = jobs.add_many(600, execution_time=due_in(1))
    beat = jobs.beat()
    wait_until(lambda: jobs.count(UNSTAMPED), jobs.logs)
    beat.kill()
    assert jobs.count(tickers.c.ended_at.is_(None)) > 0, "beat had finished before it was killed"
    jobs.beat()
    jobs.wait_for_all(ids)
    assert set(jobs.starts().values()) == {1}
    assert jobs.count(tickers.c.claim_no != 1) == 0


@pytest.mark.verify
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


def end_one(beats: list[CeleryProcess], jobs: Jobs, chance: random.Random) -> None:
    """End a beat, in good order or not, and start another instead."""
    index = chance.randrange(len(beats))
    beats[index].signal(chance.choice(WAYS_TO_END))
    beats[index] = jobs.beat(ready=False)


@on_each_pair
# The proof: 1,000 instants and more, of all cron tickers.
@pytest.mark.parametrize(("seconds", "cron_count"), [in_verify(8, 1), in_proof(220, 5)])
@pytest.mark.timeout(900)
def test_each_instant_occurs_once_or_is_recorded_as_missed_while_beats_die_beside_an_orphan(
    make_jobs: Callable[..., Jobs], store_url: str, broker_url: str, seconds: int, cron_count: int
) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    chance = random.Random(seed)
    jobs = make_jobs(store_url, broker_url, late_after=1)
    first = jobs.worker("-B", pool="solo")
    wait_until(lambda: jobs.node_names("beat"), jobs.logs)
    [left] = first.orphan()
    jobs.worker()
    beats = [jobs.beat() for _ in range(3)]
    crons = [jobs.tickerq.cron_tickers.add(EVERY_SECOND) for _ in range(cron_count)]
    whole = jobs.tickerq.cron_tickers.add(WHATEVER_DIES)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(chance.uniform(0.5, 1.5))  # the moment at which the next beat dies
        end_one(beats, jobs, chance)
    assert first.group() == [left], "the orphan was to live through all of this"

    os.kill(left, signal.SIGKILL)
    for beat in beats:
        beat.kill()
    fired_before = {cron.id: len(fired(jobs, cron.id)) for cron in crons}
    time.sleep(3)  # an outage: no beat lives
    jobs.beat()
    reached = {}
    for cron in crons:
        wait_until(lambda: len(fired(jobs, cron.id)) > fired_before[cron.id] + 1, jobs.logs)  # noqa: B023
        reached[cron.id] = stop_firing(jobs, cron.id)
    end = jobs.tickerq.cron_tickers.update(whole.id, end_at=datetime.now(UTC)).end_at
    assert end is not None
    wait_until(lambda: jobs.tickerq.cron_tickers.get(whole.id).next_run_at is None, jobs.logs)
    wait_until(lambda: jobs.count(tickers.c.ended_at.is_(None)) == 0, jobs.logs)
    assert whole.next_run_at is not None
    count = (end - whole.next_run_at) // SECOND + 1
    assert fired(jobs, whole.id) == [whole.next_run_at + n * SECOND for n in range(count)]
    for cron in crons:
        assert_each_instant_is_recorded_once(jobs, cron, before=reached[cron.id])
        assert len(recorded(jobs, cron.id)) > len(fired(jobs, cron.id)), "the outage is not recorded"
    assert set(jobs.starts().values()) == {1}
    assert len(jobs.starts()) == sum(len(fired(jobs, cron.id)) for cron in [*crons, whole])
