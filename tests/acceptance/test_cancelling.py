"""A cancel from another process reaches what runs, in each pool, with the control command and without it."""

from collections.abc import Callable
from uuid import UUID

import pytest

from tests.acceptance.jobs import PATCHING_POOLS, Jobs
from tests.acceptance.pairs import on_files, on_files_and_in_verify_on_redis, on_redis
from tests.acceptance.waiting import wait_until
from tests.thoroughness import in_verify
from tickerq_celery import CronTicker, OverlapPolicy, TickerStatus, TimeTicker

pytestmark = pytest.mark.acceptance

WITHOUT_REMOTE_CONTROL = {"worker_enable_remote_control": False}
CANCELLED = TickerStatus.CANCELLED


def running(jobs: Jobs, function: str, seconds: float = 60, **options: object) -> UUID:
    """Start a run and return once its body has begun."""
    run_id = jobs.add(function, seconds, **options)
    jobs.wait_for_note(f"waits {run_id}")
    return run_id


def cancel(jobs: Jobs, run_id: UUID) -> None:
    """Cancel a run, and return once its body was notified."""
    run = jobs.tickerq.runs.cancel(run_id)
    # It may have ended by the time that it is read.
    assert run.cancel_requested or run.status is CANCELLED
    wait_until(lambda: jobs.notes(f"notified {run_id} "), jobs.logs)


@on_redis
@pytest.mark.parametrize(
    ("function", "pool"),
    [
        ("Waits", "prefork"),
        ("Awaits", "threads"),
        in_verify("Waits", "threads"),
        in_verify("Awaits", "prefork"),
        *(in_verify(function, pool) for function in ("Waits", "Awaits") for pool in PATCHING_POOLS),
    ],
)
def test_a_body_is_notified_of_a_cancel_at_once_and_ends_without_a_retry(
    make_jobs: Callable[..., Jobs], store_url: str, broker_url: str, pool: str, function: str
) -> None:
    # The next heartbeat comes long after this test has been given up.
    jobs = make_jobs(store_url, broker_url, heartbeat=1_000, lease=3_000)
    jobs.worker(pool=pool)
    run_id = running(jobs, function, 120, retries=3)
    cancel(jobs, run_id)
    run = jobs.wait_for_status(run_id, CANCELLED)
    assert [each.status for each in run.attempts] == [CANCELLED]
    jobs.wait_for_note(f"cancelled {run_id}")
    assert not jobs.notes(f"handler {run_id}")


@on_files
@pytest.mark.parametrize("pool", ["prefork", *map(in_verify, ("solo", "threads", *PATCHING_POOLS))])
def test_without_the_control_command_a_body_is_notified_by_a_heartbeat(
    make_jobs: Callable[..., Jobs], store_url: str, broker_url: str, pool: str
) -> None:
    jobs = make_jobs(store_url, broker_url, heartbeat=1, lease=6)
    jobs.worker(pool=pool, celery=WITHOUT_REMOTE_CONTROL)
    run_id = running(jobs, "Waits")
    cancel(jobs, run_id)
    jobs.wait_for_status(run_id, CANCELLED)


@on_files
@pytest.mark.parametrize("function", ["Waits", in_verify("Awaits")])
def test_a_later_occurrence_replaces_the_one_that_runs(jobs: Jobs, function: str) -> None:
    jobs.worker()
    jobs.beat()
    cron = jobs.tickerq.cron_tickers.add(
        CronTicker(
            function=function,
            expression="*/3 * * * * *",
            request=60.0,
            retries=3,
            overlap=OverlapPolicy.CANCEL_OTHER,
            max_runs=2,
        ),
        allow_unknown=True,
    )
    wait_until(lambda: len(jobs.notes("waits ")) == 2, jobs.logs)
    later, earlier = jobs.tickerq.cron_tickers.occurrences(cron.id)
    assert [note.split()[1] for note in jobs.notes("waits ")] == [str(earlier.id), str(later.id)]
    assert [each.status for each in jobs.run(earlier.id).attempts] == [CANCELLED]
    jobs.tickerq.runs.cancel(later.id)
    jobs.wait_for_status(later.id, CANCELLED)


@pytest.mark.verify
@on_files
def test_a_later_occurrence_of_a_celery_task_replaces_the_one_that_runs(jobs: Jobs) -> None:
    jobs.worker()
    jobs.beat()
    cron = jobs.tickerq.cron_tickers.add(
        CronTicker(
            task="job_app.work",
            args=("returns", 60),
            expression="*/3 * * * * *",
            overlap=OverlapPolicy.CANCEL_OTHER,
            max_runs=2,
        )
    )
    wait_until(lambda: len(jobs.notes("works ")) == 2, jobs.logs)
    later, earlier = jobs.tickerq.cron_tickers.occurrences(cron.id)
    assert [note.split()[1] for note in jobs.notes("works ")] == [str(earlier.id), str(later.id)]
    assert [each.status for each in jobs.run(earlier.id).attempts] == [CANCELLED]
    assert not jobs.notes("worked ")


@on_files_and_in_verify_on_redis
def test_terminate_kills_the_child_and_the_run_is_cancelled_and_not_rescued(jobs: Jobs) -> None:
    worker = jobs.worker(concurrency=1)
    jobs.beat()
    run_id = running(jobs, "Deaf", retries=3)
    jobs.tickerq.runs.cancel(run_id, terminate=True)
    run = jobs.wait_for_status(run_id, CANCELLED, seconds=20)
    assert (len(run.attempts), run.rescue_count, run.retry_count) == (1, 0, 0)
    jobs.wait_for_note(f"cancelled {run_id}")
    jobs.wait_for_status(jobs.add("Plain"))
    assert worker.is_alive()
    assert not jobs.notes(f"waited {run_id}")
    assert len(jobs.notes(f"waits {run_id}")) == 1


@on_files
def test_a_child_that_is_killed_while_it_leaves_keeps_no_lock_of_its_pool(jobs: Jobs) -> None:
    jobs.worker(concurrency=1, environ={"JOB_SLOW_QUEUE": "0.5"})
    run = jobs.tickerq.time_tickers.add(TimeTicker(task="job_app.work", args=("returns", 60)))
    wait_until(lambda: jobs.notes(f"works {run.id}"), jobs.logs)
    jobs.tickerq.runs.cancel(run.id, terminate=True)
    jobs.wait_for_status(run.id, CANCELLED)
    following = jobs.wait_for_status(jobs.add("Plain"))
    assert following.rescue_count == 0


@on_files
def test_a_thread_cannot_be_killed_and_is_notified_all_the_same(jobs: Jobs) -> None:
    worker = jobs.worker(pool="threads")
    run_id = running(jobs, "Waits")
    jobs.tickerq.runs.cancel(run_id, terminate=True)
    jobs.wait_for_status(run_id, CANCELLED)
    assert worker.lines("only a prefork pool can be made to")


@on_files
def test_of_occurrences_in_several_workers_one_runs_at_a_time(jobs: Jobs) -> None:
    for _ in range(2):
        jobs.worker(functions="alone", pool="threads")
    jobs.beat()
    wait_until(lambda: len(jobs.notes("left ")) >= 2, jobs.logs)
    [cron] = jobs.tickerq.cron_tickers.find(function="AloneEverySecond")
    jobs.tickerq.cron_tickers.pause(cron.id)
    moments = [line.split() for line in jobs.notes() if line.startswith(("alone", "left"))]
    in_order = [word for word, _, _ in sorted(moments, key=lambda each: float(each[2]))]
    assert in_order[:4] == ["alone", "left", "alone", "left"]
    skipped = jobs.tickerq.cron_tickers.occurrences(cron.id, status=TickerStatus.SKIPPED)
    assert "Another CronOccurrence is already running!" in {each.skipped_reason for each in skipped}
