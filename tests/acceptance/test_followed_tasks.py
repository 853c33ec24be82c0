"""Followed in real workers: how Celery tasks end, and bodies that run as often as with plain Celery."""

import signal
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from celery import Celery, signature
from sqlalchemy.engine import make_url

from tests.acceptance.jobs import PATCHING_POOLS, Jobs
from tests.acceptance.pairs import (
    on_files,
    on_files_and_in_verify_on_redis,
    on_redis,
    on_servers,
)
from tests.acceptance.processes import PLAIN_CELERY
from tests.acceptance.waiting import wait_until
from tests.tables import tickers
from tests.thoroughness import in_verify
from tickerq_celery import TickerStatus, TimeTicker
from tickerq_celery.enums import OnLost

pytestmark = pytest.mark.acceptance

DONE, FAILED, CANCELLED = TickerStatus.DONE, TickerStatus.FAILED, TickerStatus.CANCELLED
QUICK = {"worker_lost_wait": 0.5}


@pytest.fixture
def jobs(make_jobs: Callable[..., Jobs], store_url: str, broker_url: str) -> Jobs:
    """An application whose process that adds may stall: what it has not published in time a beat has to."""
    return make_jobs(store_url, broker_url, publish_check=60)


def annotated(**options: Any) -> dict[str, Any]:
    """Return Celery settings by which the task has these options."""
    return {**QUICK, "task_annotations": {"job_app.work": options}}


def call(jobs: Jobs, way: str = "returns", seconds: float = 0, **fields: Any) -> UUID:
    """Store a call of the plain task that is due now."""
    ticker = TimeTicker(task="job_app.work", args=(way, seconds), **fields)
    return jobs.tickerq.time_tickers.add(ticker).id


def executions(jobs: Jobs, run_id: UUID) -> int:
    return len(jobs.notes(f"works {run_id}"))


def attempts(jobs: Jobs, run_id: UUID) -> list[tuple[TickerStatus, str | None]]:
    return [(each.status, each.exception_type) for each in jobs.run(run_id).attempts]


@on_files
@pytest.mark.parametrize("pool", ["prefork", *map(in_verify, ("threads", "solo", *PATCHING_POOLS))])
def test_each_pool_reports_how_tasks_end(jobs: Jobs, pool: str) -> None:
    jobs.worker(pool=pool)
    done, fails, retried = call(jobs), call(jobs, "raises"), call(jobs, "retries", 0.1)
    assert jobs.wait_for_status(done).attempts[0].status is DONE
    failed = jobs.wait_for_status(fails, FAILED)
    assert (failed.exception_type, failed.exception_message) == ("ValueError", "was to fail")
    assert "was to fail" in (failed.attempts[0].traceback or "")
    run = jobs.wait_for_status(retried)
    assert [(each.retries, each.status) for each in run.attempts] == [(0, FAILED), (1, DONE)]
    assert run.outcome_known
    assert not jobs.notes("handler")


@on_files_and_in_verify_on_redis
@pytest.mark.parametrize("way", ["SIGKILL", in_verify("sys.exit")])
def test_a_child_that_dies_fails_its_run_unless_the_ticker_says_otherwise(jobs: Jobs, way: str) -> None:
    jobs.worker(celery=QUICK)
    jobs.beat()
    fails, again = call(jobs, way), call(jobs, way, on_lost=OnLost.RETRY)
    jobs.wait_for_status(fails, FAILED)
    assert attempts(jobs, fails) == [(FAILED, "WorkerLost")]
    run = jobs.wait_for_status(again)
    assert attempts(jobs, again) == [(FAILED, "WorkerLost"), (DONE, None)]
    assert [each.claim_no for each in run.attempts] == [1, 2]
    assert (executions(jobs, fails), executions(jobs, again)) == (1, 2)
    assert not jobs.notes("handler")


@pytest.mark.verify
@on_files
def test_sys_exit_in_a_thread_fails_the_run(jobs: Jobs) -> None:
    jobs.worker(pool="threads")
    run_id = call(jobs, "sys.exit")
    jobs.wait_for_status(run_id, FAILED)
    assert attempts(jobs, run_id) == [(FAILED, "SystemExit")]


@on_files_and_in_verify_on_redis
def test_the_hard_time_limit_fails_the_run_once(jobs: Jobs) -> None:
    jobs.worker(celery=annotated(time_limit=1))
    run_id = call(jobs, seconds=60)
    jobs.wait_for_status(run_id, FAILED)
    assert attempts(jobs, run_id) == [(FAILED, "billiard.exceptions.TimeLimitExceeded")]


@pytest.mark.verify
@on_files
def test_the_soft_time_limit_strikes_the_body_and_fails_the_run(jobs: Jobs) -> None:
    jobs.worker(celery=annotated(soft_time_limit=1))
    run_id = call(jobs, "interrupted", 60)
    jobs.wait_for_note(f"interrupted {run_id}")
    jobs.wait_for_status(run_id, FAILED)
    assert attempts(jobs, run_id) == [(FAILED, "billiard.exceptions.SoftTimeLimitExceeded")]


@on_redis
def test_what_is_revoked_or_expired_or_unknown_is_recorded(jobs: Jobs) -> None:
    jobs.worker(concurrency=1)
    control = jobs.tickerq.app.control
    runs, waits = call(jobs, seconds=60), call(jobs)
    expires = call(jobs, options={"expires": 0.1})
    jobs.wait_for_note(f"works {runs}")
    control.revoke(str(waits))
    control.revoke(str(runs), terminate=True)
    jobs.know("job_app.unknown")
    unknown = jobs.tickerq.time_tickers.add(TimeTicker(task="job_app.unknown")).id
    for each in (runs, waits, expires):
        jobs.wait_for_status(each, CANCELLED)
    assert attempts(jobs, runs) == [(CANCELLED, "Terminated")]
    assert jobs.run(expires).skipped_reason == "expired"
    run = jobs.wait_for_status(unknown, FAILED)
    assert run.exception_type == "celery.exceptions.NotRegistered"
    assert [executions(jobs, each) for each in (runs, waits, expires)] == [1, 0, 0]


@pytest.mark.verify
@on_files
def test_children_of_the_pool_that_end_after_each_task_report_it(jobs: Jobs) -> None:
    jobs.worker("--max-tasks-per-child", "1")
    run_ids = [call(jobs) for _ in range(6)]
    jobs.wait_for_all(run_ids)
    assert {len(jobs.run(each).attempts) for each in run_ids} == {1}


@pytest.mark.verify
@on_servers
def test_a_message_that_a_lost_child_puts_back_is_a_further_attempt(jobs: Jobs) -> None:
    jobs.worker(celery=annotated(acks_late=True, reject_on_worker_lost=True))
    jobs.beat()
    run_id = call(jobs, "SIGKILL")
    jobs.wait_for_status(run_id)
    assert attempts(jobs, run_id) == [(FAILED, "WorkerLost"), (DONE, None)]
    assert executions(jobs, run_id) == 2
    assert jobs.run(run_id).rescue_count == 0


@pytest.mark.verify
@on_servers
def test_a_task_that_celery_retries_for_its_lost_child_is_a_further_attempt(jobs: Jobs) -> None:
    jobs.worker(celery=annotated(retry_on_worker_lost=True, default_retry_delay=1, max_retries=3))
    run_id = call(jobs, "SIGKILL")
    jobs.wait_for_status(run_id)
    assert attempts(jobs, run_id) == [(FAILED, "WorkerLost"), (DONE, None)]
    assert [each.retries for each in jobs.run(run_id).attempts] == [0, 1]
    assert executions(jobs, run_id) == 2


@pytest.mark.verify
@on_servers
def test_a_killed_worker_that_acknowledges_late_leaves_the_body_to_the_next_one(jobs: Jobs) -> None:
    late = annotated(acks_late=True) | {"broker_transport_options": {"visibility_timeout": 1}}
    first = jobs.worker(celery=late, concurrency=1)
    jobs.beat()
    run_id = call(jobs, seconds=60)
    jobs.wait_for_note(f"works {run_id}")
    first.kill()
    jobs.wait_for_status(run_id, FAILED)
    jobs.worker(celery=late)
    jobs.wait_for_status(run_id)
    assert attempts(jobs, run_id) == [(FAILED, "WorkerLost"), (DONE, None)]
    assert executions(jobs, run_id) == 2


@pytest.mark.verify
@on_servers
def test_a_killed_worker_that_had_acknowledged_fails_the_run_and_the_body_never_runs_again(
    jobs: Jobs,
) -> None:
    first = jobs.worker(concurrency=1)
    jobs.beat()
    run_id = call(jobs, seconds=60)
    jobs.wait_for_note(f"works {run_id}")
    first.signal(signal.SIGKILL)
    jobs.worker()
    jobs.wait_for_status(run_id, FAILED)
    assert attempts(jobs, run_id) == [(FAILED, "WorkerLost")]
    assert executions(jobs, run_id) == 1


@pytest.mark.verify
@on_servers
def test_a_queue_that_stands_still_for_longer_than_republish_after_runs_each_body_once(
    make_jobs: Callable[..., Jobs], store_url: str, broker_url: str
) -> None:
    jobs = make_jobs(store_url, broker_url, republish_after=2)
    worker = jobs.worker(concurrency=1, celery={"worker_prefetch_multiplier": 1})
    jobs.beat()
    blocks = call(jobs, seconds=60)
    jobs.wait_for_note(f"works {blocks}")
    waiting = [call(jobs) for _ in range(4)]
    ended = tickers.c.ended_at.is_not(None)
    wait_until(lambda: jobs.count(ended, tickers.c.id.in_(waiting)) == 4, jobs.logs)
    assert not any(jobs.run(each).outcome_known for each in waiting)
    jobs.tickerq.app.control.revoke(str(blocks), terminate=True)
    wait_until(lambda: all(jobs.run(each).outcome_known for each in waiting), jobs.logs)
    assert {executions(jobs, each) for each in (blocks, *waiting)} == {1}
    assert {jobs.run(each).status for each in waiting} == {DONE}
    assert worker.is_alive()


@pytest.mark.verify
@on_servers
def test_under_on_lost_retry_a_call_behind_a_long_one_runs_once_beside_an_idle_worker(
    make_jobs: Callable[..., Jobs], store_url: str, broker_url: str
) -> None:
    jobs = make_jobs(store_url, broker_url, republish_after=3600)
    # It prefetches the second call behind the first one.
    jobs.worker(concurrency=1)
    beat = jobs.beat()
    blocks = call(jobs, seconds=12)
    jobs.wait_for_note(f"works {blocks}")
    behind = call(jobs, on_lost="retry")
    wait_until(lambda: jobs.run(behind).published_at is not None, jobs.logs)
    jobs.worker(concurrency=1)
    jobs.wait_for_all([blocks, behind])
    assert not beat.lines("publishing again")
    assert {executions(jobs, each) for each in (blocks, behind)} == {1}


@pytest.mark.verify
@on_servers
def test_of_a_worker_without_a_tickerq_nothing_but_the_publication_is_known(
    make_jobs: Callable[..., Jobs], store_url: str, broker_url: str
) -> None:
    jobs = make_jobs(store_url, broker_url, republish_after=2)
    jobs.worker(concurrency=1)
    jobs.beat()
    plain = jobs.worker(ready=False, program=PLAIN_CELERY)
    plain.wait_for(" ready.")
    run_ids = [call(jobs, seconds=0.2) for _ in range(20)]
    jobs.wait_for_all(run_ids)
    by_plain = {run_id for run_id in run_ids if jobs.notes(f"plain {run_id}")}
    assert {executions(jobs, each) for each in run_ids} == {1}
    assert 0 < len(by_plain) < 20
    assert {run_id for run_id in run_ids if not jobs.run(run_id).outcome_known} == by_plain


@on_files
def test_an_entry_of_beats_says_how_its_task_ended(jobs: Jobs) -> None:
    entry = {"task": "job_app.work", "schedule": 1.0, "args": ["raises"]}
    jobs.worker()
    jobs.beat(celery={"beat_schedule": {"report": entry}})
    wait_until(lambda: jobs.count(tickers.c.status == FAILED), jobs.logs)
    [run] = jobs.tickerq.runs.find(status=FAILED, limit=1)
    assert (run.function, run.exception_message) == ("job_app.work", "was to fail")


@pytest.mark.verify
@on_files
def test_a_warm_shutdown_reports_the_end_of_what_runs(jobs: Jobs) -> None:
    worker = jobs.worker()
    run_id = call(jobs, seconds=2)
    jobs.wait_for_note(f"works {run_id}")
    assert worker.stop() == 0
    assert jobs.run(run_id).status is DONE
    assert jobs.node_names("worker") == set()


@on_files
def test_a_store_that_does_not_answer_changes_neither_the_end_nor_the_time_of_a_task(
    make_jobs: Callable[..., Jobs], store_url: str, broker_url: str, tmp_path: Path
) -> None:
    jobs = make_jobs(store_url, broker_url, lease=60)
    results = f"db+sqlite:///{tmp_path}/results.db"
    jobs.worker(celery=annotated(time_limit=5) | {"result_backend": results}, concurrency=1)
    jobs.beat()
    errback = signature("job_app.entry", args=("errback",), immutable=True)
    run_id = call(jobs, seconds=1, options={"link_error": errback})
    jobs.wait_for_note(f"works {run_id}")
    locked = sqlite3.connect(store_file(jobs), isolation_level=None, timeout=5)
    locked.execute("BEGIN IMMEDIATE")
    time.sleep(10)
    locked.execute("ROLLBACK")
    locked.close()
    assert jobs.wait_for_status(run_id).status is DONE
    assert attempts(jobs, run_id) == [(DONE, None)]
    app = Celery("results", broker="memory://", backend=results, set_as_current=False)
    assert app.AsyncResult(str(run_id)).state == "SUCCESS"
    assert not jobs.notes("errback")
    assert "Hard time limit" not in jobs.logs()


def store_file(jobs: Jobs) -> str:
    """Return the file of the store."""
    return str(make_url(jobs.tickerq.store_url).database)
