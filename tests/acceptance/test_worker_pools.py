"""What becomes of runs in real workers: each pool, and every way in which a body or its process can end."""

import signal
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from celery import Celery

from tests.acceptance.jobs import PATCHING_POOLS, Jobs, due_in
from tests.acceptance.pairs import (
    on_either_loop,
    on_files,
    on_files_and_in_verify_on_redis,
    on_redis,
    on_servers,
)
from tests.acceptance.waiting import WAIT_SECONDS, wait_until
from tests.inner import Claim
from tests.tables import tickers
from tests.thoroughness import in_proof, in_verify
from tickerq_celery import TickerStatus
from tickerq_celery.broker.publisher import CeleryPublisher

pytestmark = pytest.mark.acceptance

# Celery waits so long before it believes that a child is lost; the default is 10.
QUICK = {"worker_lost_wait": 0.5}
SECOND = timedelta(seconds=1)


@contextmanager
def listening(app: Celery) -> Iterator[dict[str, list[str]]]:
    """Collect the types of Celery's events by task id, as a monitor would."""
    seen: dict[str, list[str]] = defaultdict(list)
    ready, done = threading.Event(), threading.Event()

    def collect(event: dict[str, Any]) -> None:
        if "uuid" in event:
            seen[event["uuid"]].append(event["type"])

    def listen() -> None:
        with app.connection_for_read() as connection:
            receiver = app.events.Receiver(connection, handlers={"*": collect})
            with receiver.consumer_context(wakeup=True) as (_, channel, _consumers):
                ready.set()
                while not done.is_set():
                    try:
                        channel.connection.client.drain_events(timeout=0.2)
                    except TimeoutError:
                        continue

    thread = threading.Thread(target=listen)
    thread.start()
    assert ready.wait(WAIT_SECONDS)
    try:
        yield seen
    finally:
        done.set()
        thread.join()


@on_files
@pytest.mark.parametrize("pool", ["prefork", *map(in_verify, ("threads", "solo", *PATCHING_POOLS))])
def test_a_run_succeeds_or_is_retried_by_its_intervals_and_fails_after_the_last(
    jobs: Jobs, pool: str
) -> None:
    jobs.worker(pool=pool)
    jobs.beat()
    order = jobs.add("Typed", {"number": 7, "due": datetime.now(UTC)})
    recovers = jobs.add("Fails", 1, retries=3, retry_intervals=[0.5])
    fails = jobs.add("Fails", 9, retries=2, retry_intervals=[0.5, 1])

    assert len(jobs.wait_for_status(order).attempts) == 1
    assert jobs.notes("order 7 ")
    run = jobs.wait_for_status(recovers)
    assert [each.status for each in run.attempts] == [TickerStatus.FAILED, TickerStatus.DONE]
    run = jobs.wait_for_status(fails, TickerStatus.FAILED)
    assert [each.number for each in run.attempts] == [0, 1, 2]
    assert [each.exception_message for each in run.attempts] == [f"attempt {n} was to fail" for n in range(3)]
    assert (run.retry_count, run.exception_type) == (2, "ValueError")
    first, second, third = run.attempts
    assert second.started_at - first.ended_at >= 0.5 * SECOND
    assert third.started_at - second.ended_at >= SECOND
    jobs.wait_for_note(f"final {fails} ValueError")
    assert len(jobs.notes(f"handler {fails} ValueError")) == 3
    assert len(jobs.notes("final")) == 1
    assert len(jobs.notes(f"handler {recovers} ValueError")) == 1


@pytest.mark.verify
@pytest.mark.parametrize(
    ("store_url", "broker_url", "pool"),
    [
        ("postgres", "redis", "gevent"),
        ("mariadb", "rabbitmq", "eventlet"),
        in_proof("postgres", "redis", "eventlet"),
        in_proof("mariadb", "rabbitmq", "gevent"),
    ],
    indirect=["store_url", "broker_url"],
)
def test_a_pool_of_greenlets_runs_many_side_by_side_in_one_process(jobs: Jobs, pool: str) -> None:
    jobs.worker(pool=pool, concurrency=20)
    jobs.beat()
    run_ids = jobs.add_many(20, function="Waits", request=60, execution_time=due_in(0.5))
    wait_until(lambda: len(jobs.notes("waits ")) == 20, jobs.logs)
    assert not jobs.notes("waited ")
    for run_id in run_ids:
        jobs.tickerq.runs.cancel(run_id)
    for run_id in run_ids:
        assert len(jobs.wait_for_status(run_id, TickerStatus.CANCELLED).attempts) == 1


@on_files
def test_a_request_that_does_not_fit_fails_the_attempt_and_names_the_field(jobs: Jobs) -> None:
    # Before a worker says what the function takes.
    run_id = jobs.add("Typed", {"number": "many", "due": "2020-01-01"})
    jobs.worker(pool="solo")
    jobs.beat()
    run = jobs.wait_for_status(run_id, TickerStatus.FAILED)
    assert "number" in (run.exception_message or "")
    assert not jobs.notes("order")


@on_files
def test_celerys_events_show_retry_failure_and_success_as_they_happened(jobs: Jobs) -> None:
    with listening(jobs.tickerq.app) as seen:
        jobs.worker("-E")
        jobs.beat()
        done = jobs.add("Plain")
        fails = jobs.add("Fails", 9, retries=1, retry_intervals=[0.2])
        jobs.wait_for_status(done)
        jobs.wait_for_status(fails, TickerStatus.FAILED)
        begun = ["task-received", "task-started"]
        expected = {
            f"{done}:1": [*begun, "task-succeeded"],
            f"{fails}:1": [*begun, "task-retried"],
            f"{fails}:2": [*begun, "task-failed"],
        }
        wait_until(lambda: dict(seen) == expected, lambda: f"{expected}, seen: {dict(seen)}")


@on_either_loop
@pytest.mark.parametrize("way", ["SIGKILL", *map(in_verify, ("os._exit", "sys.exit"))])
def test_a_child_that_dies_in_the_body_is_rescued_within_seconds(jobs: Jobs, way: str) -> None:
    jobs.worker(celery=QUICK)
    jobs.beat()
    run_id = jobs.add("Dies", way)
    run = jobs.wait_for_status(run_id, seconds=30)
    lost, lived = run.attempts
    assert (lost.status, lost.exception_type) == (TickerStatus.FAILED, "WorkerLost")
    assert lived.status is TickerStatus.DONE
    assert (run.rescue_count, run.retry_count) == (1, 0)
    jobs.wait_for_note(f"handler {run_id} WorkerLostError")
    assert len(jobs.notes(f"handler {run_id}")) == 1


@on_files_and_in_verify_on_redis
def test_a_second_message_that_is_dropped_while_its_run_goes_on_does_not_make_it_lost(jobs: Jobs) -> None:
    worker = jobs.worker()
    run_id = jobs.add("Sleeps", 3)
    jobs.wait_for_note(f"asleep {run_id}")
    core = jobs.tickerq.core
    publisher = CeleryPublisher(jobs.tickerq.app, core.codec, lease=core.config.lease, connect_timeout=5)
    publisher.connect()
    publisher.publish(Claim(id=run_id, number=1, function="Sleeps", queue=None))
    publisher.close()
    worker.wait_for(f"dropped a stale message of run {run_id}")
    run = jobs.wait_for_status(run_id)
    assert [each.status for each in run.attempts] == [TickerStatus.DONE]
    assert not worker.lines("was lost")


@on_files
def test_sys_exit_in_a_thread_loses_the_attempt_and_not_the_run(jobs: Jobs) -> None:
    worker = jobs.worker(pool="threads")
    jobs.beat()
    run = jobs.wait_for_status(jobs.add("Dies", "sys.exit"))
    assert [each.exception_type for each in run.attempts] == ["WorkerLost", None]
    assert worker.is_alive()


WAYS_TO_DIE_ON_THE_LOOP = ("sys.exit", "KeyboardInterrupt", "sys.exit in a task")


@on_files
@pytest.mark.parametrize(
    ("pool", "way"),
    [
        ("prefork", "sys.exit"),
        *(
            in_verify(pool, way)
            for pool in ("prefork", "threads", *PATCHING_POOLS)
            for way in WAYS_TO_DIE_ON_THE_LOOP
            if (pool, way) != ("prefork", "sys.exit")
        ),
    ],
)
def test_an_async_function_that_exits_loses_its_attempt_and_neither_its_slot_nor_the_loop(
    jobs: Jobs, pool: str, way: str
) -> None:
    jobs.worker(pool=pool, concurrency=1, celery=QUICK)
    jobs.beat()
    run_id = jobs.add("DiesOnTheLoop", way)
    run = jobs.wait_for_status(run_id)
    assert [each.exception_type for each in run.attempts] == ["WorkerLost", None]
    assert (run.rescue_count, run.retry_count) == (1, 0)
    jobs.wait_for_note(f"handler {run_id} WorkerLostError")
    jobs.wait_for_all([jobs.add("Reports", 0) for _ in range(3)])


@pytest.mark.verify
@on_files
@pytest.mark.parametrize("way", WAYS_TO_DIE_ON_THE_LOOP)
def test_an_async_function_that_exits_in_a_solo_worker_leaves_the_run_to_the_next_worker(
    jobs: Jobs, way: str
) -> None:
    worker = jobs.worker(pool="solo", concurrency=1)
    run_id = jobs.add("DiesOnTheLoop", way)
    worker.wait()
    jobs.worker(pool="solo", concurrency=1)
    jobs.beat()
    run = jobs.wait_for_status(run_id)
    assert [each.exception_type for each in run.attempts] == ["WorkerLost", None]


@on_files
def test_sys_exit_in_a_solo_worker_leaves_the_run_to_the_next_worker(jobs: Jobs) -> None:
    worker = jobs.worker(pool="solo", concurrency=1)
    run_id = jobs.add("Dies", "sys.exit")
    worker.wait()
    jobs.worker(pool="solo", concurrency=1)
    jobs.beat()
    run = jobs.wait_for_status(run_id)
    assert [each.exception_type for each in run.attempts] == ["WorkerLost", None]


@on_files_and_in_verify_on_redis
def test_the_hard_time_limit_fails_the_attempt_and_its_retry_follows(jobs: Jobs) -> None:
    limit = {"task_annotations": {"tickerq.Stubborn": {"time_limit": 1}}}
    jobs.worker(celery=limit)
    jobs.beat()
    run_id = jobs.add("Stubborn", retries=1, retry_intervals=[0.1])
    run = jobs.wait_for_status(run_id)
    assert [each.status for each in run.attempts] == [TickerStatus.FAILED, TickerStatus.DONE]
    assert (run.attempts[0].exception_type or "").endswith("TimeLimitExceeded")
    assert (run.retry_count, run.rescue_count) == (1, 0)
    wait_until(lambda: len(jobs.notes(f"handler {run_id}")) == 1, jobs.logs)


@on_files_and_in_verify_on_redis
def test_a_run_that_is_revoked_while_it_runs_is_cancelled_and_does_not_start_again(jobs: Jobs) -> None:
    jobs.worker()
    jobs.beat()
    run_id = jobs.add("Sleeps", 60)
    jobs.wait_for_note(f"asleep {run_id}")
    jobs.tickerq.app.control.revoke(f"{run_id}:1", terminate=True)
    run = jobs.wait_for_status(run_id, TickerStatus.CANCELLED)
    assert len(run.attempts) == 1
    assert len(jobs.notes(f"asleep {run_id}")) == 1
    jobs.wait_for_note(f"cancelled {run_id}")


@pytest.mark.verify
@on_servers
def test_what_a_killed_worker_ran_and_had_prefetched_is_done_by_another(jobs: Jobs) -> None:
    worker = jobs.worker(concurrency=1)
    jobs.beat()
    running = jobs.add("Dies", "outside")
    jobs.wait_for_note(f"dies {running}")
    prefetched = jobs.add_many(3)
    wait_until(lambda: len(worker.lines("tickerq.Plain", "received")) == 3, jobs.logs)
    worker.kill()
    jobs.worker(concurrency=2)
    jobs.wait_for_all([running, *prefetched])
    run = jobs.run(running)
    assert [each.exception_type for each in run.attempts] == ["WorkerLost", None]
    assert run.rescue_count == 1
    assert jobs.starts() == {str(run_id): 1 for run_id in prefetched}
    wait_until(lambda: len(jobs.node_names("worker")) == 1, jobs.logs)


@on_redis
@pytest.mark.parametrize("pool", ["solo", *map(in_verify, ("prefork", "threads", *PATCHING_POOLS))])
def test_a_warm_shutdown_finishes_the_running_body_and_removes_the_nodes_row(jobs: Jobs, pool: str) -> None:
    worker = jobs.worker(pool=pool)
    run_id = jobs.add("Sleeps", 2)
    jobs.wait_for_note(f"asleep {run_id}")
    assert worker.stop() == 0
    assert jobs.run(run_id).status is TickerStatus.DONE
    assert jobs.notes() == [f"asleep {run_id}", f"awake {run_id}"]
    assert jobs.node_names("worker") == set()
    assert "Traceback" not in worker.log


@on_files
def test_a_worker_that_hangs_in_its_shutdown_takes_no_more_runs_and_keeps_those_that_it_has(
    jobs: Jobs,
) -> None:
    worker = jobs.worker()
    jobs.beat()
    run_id = jobs.add("Waits", 120)
    jobs.wait_for_note(f"waits {run_id}")
    worker.signal(signal.SIGTERM)
    wait_until(lambda: not jobs.takes_runs(), jobs.logs)
    assert jobs.node_names("worker")
    # Longer than a lease, which is 2 s.
    later = jobs.add("Plain", execution_time=due_in(2.5))
    wait_until(lambda: jobs.run(later).held_for == "function", jobs.logs)
    assert jobs.run(run_id).status is TickerStatus.IN_PROGRESS
    jobs.tickerq.runs.cancel(run_id)
    assert worker.wait() == 0
    assert [each.status for each in jobs.run(run_id).attempts] == [TickerStatus.CANCELLED]
    assert jobs.node_names("worker") == set()


@pytest.mark.verify
@on_files
def test_a_child_that_holds_the_interpreter_does_not_look_dead(jobs: Jobs) -> None:
    worker = jobs.worker()
    names = jobs.node_names("worker")
    beat = jobs.beat()
    run = jobs.wait_for_status(jobs.add("HoldsTheInterpreter", 4))
    assert len(run.attempts) == 1
    assert jobs.node_names("worker") == names
    assert not beat.lines("is dead")
    assert not worker.lines("declared dead")


@pytest.mark.verify
@on_files
def test_a_run_of_an_unknown_function_is_held_until_a_worker_has_it(jobs: Jobs) -> None:
    jobs.worker(functions="plain", pool="solo")
    jobs.beat()
    run_id = jobs.add("Sleeps", 0, execution_time=due_in(0.5))
    wait_until(lambda: jobs.run(run_id).held_for == "function", jobs.logs)
    assert jobs.run(run_id).status is TickerStatus.IDLE
    jobs.worker(pool="solo")
    jobs.wait_for_status(run_id)
    assert jobs.run(run_id).held_for is None


@pytest.mark.row_locks
@pytest.mark.verify  # tests/integration starts twenty at once
@pytest.mark.parametrize(
    ("store_url", "broker_url"), [("sqlite", "fs"), ("postgres", "redis")], indirect=True
)
def test_workers_that_start_at_once_seed_one_row_for_each_cron(jobs: Jobs) -> None:
    workers = [jobs.worker(functions="crons", pool="solo", ready=False) for _ in range(4)]
    wait_until(lambda: len(jobs.node_names("worker")) == 4, jobs.logs)
    crons = jobs.tickerq.cron_tickers.find(limit=100)
    assert sorted(each.function for each in crons) == sorted(f"Cron{number}" for number in range(20))
    for worker in workers:
        assert not worker.lines("ERROR")
        assert "Traceback" not in worker.log


@on_files
def test_a_worker_of_other_functions_touches_no_cron_that_is_not_its_own(jobs: Jobs) -> None:
    jobs.worker(functions="crons", pool="solo")
    before = {each.function: each for each in jobs.tickerq.cron_tickers.find(limit=100)}
    jobs.worker(functions="other crons", pool="solo")
    after = {each.function: each for each in jobs.tickerq.cron_tickers.find(limit=100)}
    assert after.pop("OtherCron").is_enabled
    assert after == before


@pytest.mark.verify
@on_redis
def test_a_cold_stop_gives_the_running_body_to_the_next_worker(jobs: Jobs) -> None:
    worker = jobs.worker()
    run_id = jobs.add("Sleeps", 3)
    jobs.wait_for_note(f"asleep {run_id}")
    worker.signal(signal.SIGQUIT)
    worker.wait()
    jobs.beat()
    jobs.worker()
    run = jobs.wait_for_status(run_id)
    assert [each.exception_type for each in run.attempts] == ["WorkerLost", None]
    assert jobs.count(tickers.c.running_on.is_not(None)) == 0


@on_files
@pytest.mark.parametrize("pool", ["threads", *map(in_verify, ("prefork", "solo", *PATCHING_POOLS))])
def test_async_functions_share_a_loop_report_while_they_run_and_end_before_their_worker_does(
    jobs: Jobs, pool: str
) -> None:
    worker = jobs.worker(pool=pool, settings={"capture_logs": "WARNING"})
    jobs.wait_for_all([jobs.add("Reports", 0) for _ in range(6)])
    run_id = jobs.add("Reports", 3)
    # Read once: by a second reading the run may have ended.
    run = wait_until(
        lambda: next((run for run in [jobs.run(run_id)] if run.progress == 0.5), None), jobs.logs
    )
    assert (run.status, run.progress_message) == (TickerStatus.IN_PROGRESS, "half")
    assert worker.stop() == 0
    run = jobs.run(run_id)
    assert (run.status, [line.message for line in run.logs]) == (TickerStatus.DONE, ["logged by Reports"])
    assert "Traceback" not in worker.log
    loops = {tuple(note.split()[1:]) for note in jobs.notes("loop")}
    assert len(loops) == len({process for process, _ in loops})


@on_files
def test_the_soft_time_limit_cancels_a_coroutine_and_lets_it_clean_up(jobs: Jobs) -> None:
    jobs.worker(celery={"task_annotations": {"tickerq.Reports": {"soft_time_limit": 1}}})
    run_id = jobs.add("Reports", 60)
    run = jobs.wait_for_status(run_id, TickerStatus.FAILED)
    assert (run.exception_type or "").endswith("SoftTimeLimitExceeded")
    assert jobs.notes("cleaned up") == [f"cleaned up {run_id}"]


@pytest.mark.verify
@on_files
@pytest.mark.parametrize("pool", ["prefork", "threads"])
def test_functions_run_in_the_apps_own_task_class(jobs: Jobs, pool: str) -> None:
    jobs.worker(pool=pool, environ={"JOB_TASK_CLASS": "1"})
    first, second = jobs.add("InClass"), jobs.add("InClassOnTheLoop")
    jobs.wait_for_all([first, second])
    assert sorted(jobs.notes("in class")) == sorted(f"in class {run_id} True" for run_id in (first, second))
    jobs.wait_for_note(f"on_success {first}:1 {first}:1")
    jobs.wait_for_note(f"on_success {second}:1 from the loop")
