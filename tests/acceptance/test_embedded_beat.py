"""`celery worker -B`: beat as a child of the worker, also when the worker is gone and it is not."""

import os
import signal

import pytest

from tests.acceptance.jobs import Jobs, due_in
from tests.acceptance.occurrences import assert_each_instant_is_recorded_once, fired, stop_firing
from tests.acceptance.pairs import on_files, on_redis
from tests.acceptance.waiting import wait_until
from tests.tables import tickers
from tests.thoroughness import in_verify
from tickerq_celery import CronTicker

pytestmark = pytest.mark.acceptance


@on_redis
@pytest.mark.parametrize("arguments", [(), in_verify(("--scheduler", "tickerq"))], ids=["default", "by name"])
def test_a_worker_with_beat_in_it_starts_what_is_due_and_ends_as_one(
    jobs: Jobs, arguments: tuple[str, ...]
) -> None:
    worker = jobs.worker("-B", *arguments)
    # Either may be the first to register.
    wait_until(lambda: jobs.node_names("beat") and jobs.node_names("worker"), jobs.logs)
    assert len(jobs.node_names("beat")) == len(jobs.node_names("worker")) == 1
    assert jobs.node_names("beat") != jobs.node_names("worker")
    jobs.wait_for_status(jobs.add("Plain", execution_time=due_in(0.5)))
    assert worker.stop() == 0
    wait_until(lambda: not worker.group(), lambda: str(worker.group()))
    assert jobs.node_names("beat") == jobs.node_names("worker") == set()
    assert "Traceback" not in worker.log


@pytest.mark.verify  # two beats that do no harm to each other are in test_several_beats.py, too
@on_files
def test_an_orphaned_beat_does_no_harm_next_to_a_new_worker_with_beat(jobs: Jobs) -> None:
    # A child of a pool outlives its worker where that dies before Celery has tied the two.
    first = jobs.worker("-B", pool="solo")
    wait_until(lambda: len(jobs.node_names("beat")) == 1, jobs.logs)
    [left] = first.orphan()
    jobs.worker("-B")
    wait_until(lambda: len(jobs.node_names("beat")) == 2, jobs.logs)
    cron = jobs.tickerq.cron_tickers.add(CronTicker(function="Plain", expression="* * * * * *"))
    ids = jobs.add_many(100, execution_time=due_in(1))
    jobs.wait_for_all(ids)
    wait_until(lambda: len(fired(jobs, cron.id)) >= 4, jobs.logs)
    reached = stop_firing(jobs, cron.id)
    wait_until(lambda: jobs.count(tickers.c.ended_at.is_(None)) == 0, jobs.logs)

    assert set(jobs.starts().values()) == {1}
    assert {str(run_id) for run_id in ids} < jobs.starts().keys()
    assert_each_instant_is_recorded_once(jobs, cron, before=reached)
    assert first.group() == [left], "the orphan was to live through all of this"
    os.kill(left, signal.SIGTERM)
    wait_until(lambda: not first.group(), jobs.logs)
    assert len(jobs.node_names("beat")) == 1
