"""The database or the broker is unreachable, before and during the work: said once, nothing is lost."""

import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.acceptance.jobs import Jobs, due_in
from tests.acceptance.processes import CeleryProcess
from tests.acceptance.waiting import wait_until
from tests.inner import broker_url as folder_url
from tests.servers.pool import SharedServer
from tests.servers.server import Server
from tickerq_celery import TickerStatus

pytestmark = pytest.mark.acceptance

BOTH = [("postgres", "redis"), ("mariadb", "rabbitmq")]
STORE_UNREACHABLE = "beat paused: store unreachable"
BROKER_UNREACHABLE = "beat paused: broker unreachable"


@pytest.fixture
def postgres(start_server: Callable[[str], Server]) -> Server:
    return start_server("postgres")


@pytest.fixture
def redis(start_server: Callable[[str], Server]) -> Server:
    return start_server("redis")


@pytest.fixture
def on_postgres(make_jobs: Callable[..., Jobs], postgres: Server, tmp_path: Path) -> Jobs:
    jobs = make_jobs(postgres.new_database(), folder_url(tmp_path / "broker"))
    jobs.tickerq.create_schema()
    return jobs


@pytest.fixture
def on_redis(make_jobs: Callable[..., Jobs], redis: Server, tmp_path: Path) -> Jobs:
    jobs = make_jobs(f"sqlite:///{tmp_path}/tickers.db", redis.url)
    jobs.tickerq.create_schema()
    return jobs


def assert_said_once(process: CeleryProcess, *words: str) -> None:
    assert len(process.lines("ERROR", *words)) == 1, process.log
    assert "Traceback" not in process.log


@pytest.mark.verify
def test_beat_and_worker_wait_for_a_database_that_is_unreachable_when_they_start(
    on_postgres: Jobs, postgres: Server
) -> None:
    jobs = on_postgres
    postgres.stop()
    beat, worker = jobs.beat(), jobs.worker(ready=False)
    beat.wait_for(STORE_UNREACHABLE)
    worker.wait_for("worker paused: store unreachable")
    postgres.start()
    jobs.wait_for_status(jobs.add("Plain", execution_time=due_in(1)))
    assert_said_once(beat, "beat paused")
    assert_said_once(worker, "worker paused: store unreachable")


@pytest.mark.verify  # tests/windows stops the store of a beat and a worker
def test_beat_and_worker_outlive_a_restart_of_the_database(on_postgres: Jobs, postgres: Server) -> None:
    jobs = on_postgres
    worker, beat = jobs.worker(), jobs.beat()
    wait_until(lambda: jobs.node_names("beat"), jobs.logs)
    asleep = jobs.add("Sleeps", 1.5)
    jobs.wait_for_note(f"asleep {asleep}")
    postgres.kill()
    jobs.wait_for_note(f"awake {asleep}")
    beat.wait_for(STORE_UNREACHABLE)
    worker.wait_for("worker paused: store unreachable")
    postgres.start()
    jobs.wait_for_status(jobs.add("Plain", execution_time=due_in(1)))
    run = jobs.wait_for_status(asleep)
    assert len(run.attempts) == 1
    assert_said_once(beat, "beat paused")
    assert_said_once(worker, "worker paused: store unreachable")
    beat.wait_for("beat resumed")
    worker.wait_for("worker resumed: store reachable")


def test_a_database_that_hangs_for_longer_than_a_lease_costs_no_run_its_attempt(
    make_jobs: Callable[..., Jobs],
    shared_server: Callable[[str], SharedServer],
    start_server: Callable[[str], Server],
    tmp_path: Path,
) -> None:
    shared = shared_server("postgres")
    postgres = shared if isinstance(shared, Server) else start_server("postgres")
    jobs = make_jobs(postgres.new_database(), folder_url(tmp_path / "broker"), lease=2)
    jobs.tickerq.create_schema()
    worker, beat = jobs.worker(), jobs.beat()
    wait_until(lambda: jobs.node_names("beat"), jobs.logs)
    asleep = jobs.add("Sleeps", 1.0)
    jobs.wait_for_note(f"asleep {asleep}")
    with ExitStack() as stack:
        stack.callback(postgres.thaw)
        postgres.freeze()
        jobs.wait_for_note(f"awake {asleep}")
        time.sleep(2.5)  # more than a lease without a sign of life
    assert len(jobs.wait_for_status(asleep).attempts) == 1
    jobs.wait_for_status(jobs.add("Plain", execution_time=due_in(0.5)))
    for process in (worker, beat):
        assert not process.lines("declared dead")
        assert not process.lines("is dead")
        assert "Traceback" not in process.log


@pytest.mark.verify
def test_beat_waits_for_a_broker_that_is_unreachable_when_it_starts(on_redis: Jobs, redis: Server) -> None:
    jobs = on_redis
    redis.stop()
    beat = jobs.beat()
    beat.wait_for(BROKER_UNREACHABLE)
    redis.start()
    jobs.worker()
    jobs.wait_for_status(jobs.add("Plain", execution_time=due_in(1)))
    assert_said_once(beat, "beat paused")


def test_beat_outlives_a_restart_of_the_broker(on_redis: Jobs, redis: Server) -> None:
    jobs = on_redis
    jobs.worker()
    beat = jobs.beat()
    jobs.wait_for_status(jobs.add("Plain", execution_time=due_in(0.5)))
    redis.stop()
    later = jobs.add("Plain", execution_time=due_in(0.5))
    beat.wait_for(BROKER_UNREACHABLE)
    assert jobs.run(later).status is TickerStatus.IDLE
    redis.start()
    jobs.wait_for_status(later)
    assert_said_once(beat, "beat paused")
    beat.wait_for("beat resumed")
    assert set(jobs.starts().values()) == {1}


@pytest.mark.verify
def test_a_child_that_dies_after_the_broker_was_lost_is_noticed_by_a_worker_whose_pool_forgets_its_jobs(
    on_redis: Jobs, redis: Server
) -> None:
    jobs = on_redis
    worker = jobs.worker(concurrency=1, environ={"JOB_POOL_FORGETS": "1"})
    jobs.beat()
    run_id = jobs.add("Dies", "outside")
    jobs.wait_for_note(f"dies {run_id}")
    redis.stop()
    worker.wait_for("Connection to broker lost")
    redis.start()
    worker.wait_for("Connected to redis")
    [child] = set(worker.group()) - {worker.pid}
    os.kill(child, signal.SIGKILL)
    run = jobs.wait_for_status(run_id)
    assert [each.exception_type for each in run.attempts] == ["WorkerLost", None]


@pytest.mark.verify
@pytest.mark.parametrize(("database", "broker"), BOTH)
def test_what_was_in_flight_and_what_fell_due_while_both_were_unreachable_ends_once(
    database: str, broker: str, make_jobs: Callable[..., Jobs], start_server: Callable[[str], Server]
) -> None:
    servers = [start_server(database), start_server(broker)]
    jobs = make_jobs(*(server.new_database() for server in servers), lease=60, republish_after=3)
    jobs.tickerq.create_schema()
    worker, beat = jobs.worker(), jobs.beat()
    wait_until(lambda: jobs.node_names("beat"), jobs.logs)
    asleep = [jobs.add("Sleeps", 3.0) for _ in range(2)]
    for run_id in asleep:
        jobs.wait_for_note(f"asleep {run_id}")
    waiting = jobs.add_many(20)
    later = jobs.add_many(20, execution_time=due_in(1.5))
    for server in servers:
        server.kill()
    beat.wait_for("beat paused")
    worker.wait_for("worker paused: store unreachable")
    for run_id in asleep:
        jobs.wait_for_note(f"awake {run_id}")
    for server in servers:
        server.start()

    jobs.wait_for_all([*asleep, *waiting, *later], 90)
    begun = jobs.starts() + Counter(line.split()[1] for line in jobs.notes("asleep "))
    for run_id in (*asleep, *waiting, *later):
        # One attempt, or one more for each rescue that is recorded.
        assert begun[str(run_id)] == len(jobs.run(run_id).attempts) <= 2
    beat.wait_for("beat resumed")
    worker.wait_for("worker resumed: store reachable")
    assert len(beat.lines("ERROR", STORE_UNREACHABLE)) <= 1
    assert len(beat.lines("ERROR", BROKER_UNREACHABLE)) <= 1
    assert "Traceback" not in beat.log
    assert len(worker.lines("ERROR", "worker paused: store unreachable")) == 1
