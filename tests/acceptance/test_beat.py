"""What an operator sees of one `celery beat`: when it starts tickers, how it refuses, how it ends."""

import random
import signal
import time
from collections.abc import Callable

import pytest

from tests.acceptance.jobs import UNSTAMPED, Jobs, due_in
from tests.acceptance.pairs import on_files
from tests.acceptance.processes import CeleryProcess
from tests.acceptance.waiting import wait_until
from tests.tables import tickers
from tests.thoroughness import in_verify
from tickerq_celery import TickerStatus

pytestmark = pytest.mark.acceptance

ENTRIES = {
    "beat_schedule": {
        "hourly": {"task": "x", "schedule": 0.5},
        "nightly": {"task": "x", "schedule": 0.5},
        "tick": {"task": "job_app.entry", "schedule": 1.0, "args": ["ticked"]},
    }
}


def assert_one_line_says(process: CeleryProcess, *words: str) -> None:
    assert process.wait() != 0
    critical = [line for line in process.lines("CRITICAL") if all(word in line for word in words)]
    assert len(critical) == 1, process.log
    assert "Traceback" not in process.log


@on_files
def test_a_ticker_starts_at_its_time_and_not_at_the_next_poll(
    make_jobs: Callable[..., Jobs], store_url: str, broker_url: str
) -> None:
    # Beat knows them when it starts, and polls again long after this test has been given up.
    jobs = make_jobs(store_url, broker_url, poll_interval=1_000, lease=3_000)
    jobs.worker(pool="threads")
    ids = [jobs.add("Plain", execution_time=due_in(seconds)) for seconds in (3, 4.5, 6)]
    jobs.beat()
    for run_id in ids:
        run = jobs.wait_for_status(run_id)
        assert run.execution_time is not None
        assert run.attempts[0].started_at >= run.execution_time


@pytest.mark.each_pair_alike
@pytest.mark.parametrize("broker_url", ["fs", "redis", "rabbitmq"], indirect=True)
@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_ticker_that_is_due_at_once_needs_no_beat(jobs: Jobs) -> None:
    jobs.worker()
    for _ in range(2):
        jobs.wait_for_status(jobs.add("Plain"))


@on_files
@pytest.mark.parametrize("arguments", [(), in_verify(("-S", "tickerq"))], ids=["default", "by name"])
def test_beat_runs_the_ticker_scheduler(jobs: Jobs, arguments: tuple[str, ...]) -> None:
    beat = jobs.beat(*arguments)
    wait_until(lambda: jobs.node_names("beat"), lambda: beat.log)
    assert "scheduler -> tickerq_celery.scheduler.TickerScheduler" in beat.log
    assert beat.stop(10) == 0
    assert jobs.node_names("beat") == set()
    assert not beat.lines("ERROR")
    assert "Traceback" not in beat.log


@on_files
def test_a_beat_with_another_scheduler_says_that_it_starts_no_tickers(jobs: Jobs) -> None:
    beat = jobs.beat("-S", "celery.beat:PersistentScheduler")
    beat.wait_for("this beat runs PersistentScheduler and starts no tickers")
    assert len(beat.lines("ERROR")) == 1


@on_files
def test_beat_names_entries_that_cannot_be_kept_and_runs_the_others(jobs: Jobs) -> None:
    beat = jobs.beat(celery=ENTRIES)
    wait_until(lambda: jobs.tickerq.runs.count(function="job_app.entry") > 0, lambda: beat.log)
    for name in ("hourly", "nightly"):
        said = f"entry '{name}' of beat_schedule cannot be kept: an interval of 0:00:00.500000"
        assert len([line for line in beat.lines("ERROR") if said in line]) == 1, beat.log
    assert not beat.lines("CRITICAL")


@pytest.mark.parametrize("broker_url", ["fs"], indirect=True)
def test_a_store_without_tables_ends_beat_and_worker_with_the_command_to_run(
    make_jobs: Callable[..., Jobs], empty_database_url: str, broker_url: str
) -> None:
    jobs = make_jobs(empty_database_url, broker_url)
    for process in (jobs.beat(ready=False), jobs.worker(ready=False)):
        assert_one_line_says(process, "has no tables yet: run `celery -A yourapp tickerq migrate`")


@on_files
def test_a_beat_that_is_stopped_leaves_nothing_claimed_and_unpublished(jobs: Jobs) -> None:
    # The worker makes the function known, and takes no message of it.
    jobs.worker("-Q", "elsewhere", pool="solo")
    jobs.add_many(4_000, execution_time=due_in(1))
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    moments = random.Random(seed)
    for _ in range(4):
        before = jobs.count(tickers.c.status == TickerStatus.QUEUED)
        beat = jobs.beat(settings={"batch_size": 200, "publish_check": 60})
        wait_until(
            lambda: jobs.count(tickers.c.status == TickerStatus.QUEUED) > before,  # noqa: B023 - called here
            lambda: beat.log,  # noqa: B023
        )
        time.sleep(moments.uniform(0, 0.2))  # the moment at which beat is interrupted
        assert beat.stop(10) == 0, beat.log
        assert jobs.count(UNSTAMPED) == 0, beat.log
        assert jobs.node_names("beat") == set()
        assert "Traceback" not in beat.log
    assert jobs.count(tickers.c.status == TickerStatus.IDLE) > 0, "no beat was interrupted in its work"


@on_files
def test_ctrl_c_ends_beat_as_sigterm_does(jobs: Jobs) -> None:
    beat = jobs.beat()
    wait_until(lambda: jobs.node_names("beat"), lambda: beat.log)
    beat.signal(signal.SIGINT)
    assert beat.wait(10) == 0
    assert jobs.node_names("beat") == set()
