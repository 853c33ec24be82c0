"""What takes too long is interrupted, killed and tried again; a pool that can do neither refuses to begin."""

import pytest

from tests.acceptance.jobs import PATCHING_POOLS, Jobs
from tests.acceptance.pairs import on_files, on_files_and_in_verify_on_redis
from tests.thoroughness import in_verify
from tickerq_celery import TickerStatus

pytestmark = pytest.mark.acceptance


@on_files_and_in_verify_on_redis
def test_a_tickers_timeouts_fail_the_attempt_and_its_retry_follows(jobs: Jobs) -> None:
    jobs.worker()
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
