"""What takes too long is interrupted, killed and tried again; a pool that can do neither refuses to begin."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest

from tests.acceptance.jobs import PATCHING_POOLS, STAMPED, Jobs
from tests.acceptance.pairs import on_files, on_files_and_in_verify_on_redis
from tests.integration.apps import enrol_worker
from tests.thoroughness import in_verify
from tickerq_celery import TickerContext, TickerStatus

pytestmark = pytest.mark.acceptance


@on_files_and_in_verify_on_redis
def test_a_tickers_timeouts_fail_the_attempt_and_its_retry_follows(jobs: Jobs) -> None:
    worker = jobs.worker(celery={"worker_lost_wait": 0.5})
    jobs.beat()
    retry = {"retries": 1, "retry_intervals": [0.1]}
    soft = jobs.add("Timed", 60, timeout=1, **retry)
    hard = jobs.add("Timed", 60, hard_timeout=1.5, **retry)
    for run_id, error in ((soft, "SoftTimeLimitExceeded"), (hard, "TimeLimitExceeded")):
        run = jobs.wait_for_status(run_id)
        assert [each.status for each in run.attempts] == [TickerStatus.FAILED, TickerStatus.DONE]
        assert (run.attempts[0].exception_type or "").rpartition(".")[2] == error
        assert (run.retry_count, run.rescue_count) == (1, 0)
        jobs.wait_for_note(f"handler {run_id} {'WorkerLostError' if run_id == hard else error}")
    assert jobs.notes("interrupted ") == [f"interrupted {soft}"]
    # So it is to those who listen to Celery.
    worker.wait_for("Task handler raised error: TimeLimitExceeded(1.5")


@on_files
@pytest.mark.parametrize("pool", ["threads", *map(in_verify, ("solo", *PATCHING_POOLS))])
def test_a_pool_that_can_interrupt_nothing_refuses_functions_with_a_timeout_by_name(
    jobs: Jobs, pool: str
) -> None:
    worker = jobs.worker(pool=pool, functions="limited", ready=False)
    assert worker.wait() == 1
    assert worker.lines("CRITICAL", "as is asked for by SlowExport, SlowReport")
    assert jobs.node_names("worker") == set()


@on_files
def test_a_run_with_a_timeout_fails_in_a_pool_that_can_interrupt_nothing(jobs: Jobs) -> None:
    jobs.worker(pool="threads")
    run = jobs.wait_for_status(jobs.add("Plain", timeout=5), TickerStatus.FAILED)
    assert run.exception_message == "timeout: only a worker with a prefork pool can end what takes too long"
    assert not jobs.notes("ran ")


def never_called(context: TickerContext[float]) -> None:
    """Stand for a function of the workers in the process that adds its runs."""


@contextmanager
def stalled(jobs: Jobs) -> Iterator[None]:
    """Let nothing else write to the store within the block: the file of SQLite has one writer at a time."""
    file = str(jobs.tickerq.core.database.url.database)
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.rollback()


@on_files
def test_a_body_that_ended_in_time_is_done_however_long_the_store_keeps_its_end_waiting(
    make_jobs: Callable[..., Jobs], store_url: str, broker_url: str
) -> None:
    jobs = make_jobs(store_url, broker_url, lease=20)
    jobs.worker()
    run_id = jobs.add("Sleeps", 0.5, hard_timeout=3)
    jobs.wait_for_note(f"asleep {run_id}")
    with stalled(jobs):
        jobs.wait_for_note(f"awake {run_id}")
        time.sleep(4)
    run = jobs.wait_for_status(run_id)
    assert [each.status for each in run.attempts] == [TickerStatus.DONE]


@on_files
def test_a_start_that_the_store_keeps_waiting_takes_no_time_from_its_body(
    make_jobs: Callable[..., Jobs], store_url: str, broker_url: str
) -> None:
    # The first to have the function is no process, and takes no message: hence the lease.
    jobs = make_jobs(store_url, broker_url, lease=300)
    jobs.tickerq.function("Sleeps")(never_called)
    enrol_worker(jobs.tickerq)
    run_id = jobs.add("Sleeps", 0.5, timeout=2.5, hard_timeout=3)
    assert jobs.count(STAMPED) == 1
    with stalled(jobs):
        jobs.worker(ready=False).wait_for(f"tickerq.Sleeps[{run_id}:1] received")
        time.sleep(4)
        assert not jobs.notes("asleep")
    run = jobs.wait_for_status(run_id)
    assert [each.status for each in run.attempts] == [TickerStatus.DONE]
