"""The database or the broker goes away, before and during the work: said once, waited out, nothing lost."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.processes import CeleryProcess, Jobs, due_in, wait_until
from tests.servers.server import Server
from tickerq_celery import TickerStatus
from tickerq_celery.fs_transport import broker_url as folder_url

pytestmark = pytest.mark.acceptance

AWAY = {"postgres": "the store did not answer", "redis": "the broker did not take the message"}


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


def test_beat_and_worker_wait_for_a_database_that_is_away_when_they_start(
    on_postgres: Jobs, postgres: Server
) -> None:
    jobs = on_postgres
    postgres.stop()
    beat, worker = jobs.beat(), jobs.worker(ready=False)
    beat.wait_for("beat waits: the store did not answer")
    worker.wait_for("this worker waits for the store")
    postgres.start()
    jobs.wait_for_status(jobs.add("Plain", execution_time=due_in(1)))
    assert_said_once(beat, "beat waits")
    assert_said_once(worker, "this worker waits for the store")


def test_beat_and_worker_outlive_a_restart_of_the_database(on_postgres: Jobs, postgres: Server) -> None:
    jobs = on_postgres
    worker, beat = jobs.worker(), jobs.beat()
    wait_until(lambda: jobs.node_names("beat"), jobs.logs)
    asleep = jobs.add("Sleeps", 1.5)
    jobs.wait_for_note(f"asleep {asleep}")
    postgres.kill()
    jobs.wait_for_note(f"awake {asleep}")
    beat.wait_for("beat waits: the store did not answer")
    worker.wait_for("this worker waits for the store")
    postgres.start()
    jobs.wait_for_status(jobs.add("Plain", execution_time=due_in(1)))
    run = jobs.wait_for_status(asleep)
    assert len(run.attempts) == 1
    assert_said_once(beat, "beat waits")
    assert_said_once(worker, "this worker waits for the store")
    beat.wait_for("answers again")
    worker.wait_for("the store answers again")


def test_beat_waits_for_a_broker_that_is_away_when_it_starts(on_redis: Jobs, redis: Server) -> None:
    jobs = on_redis
    redis.stop()
    beat = jobs.beat()
    beat.wait_for("beat waits: the broker did not take the message")
    redis.start()
    jobs.worker()
    jobs.wait_for_status(jobs.add("Plain", execution_time=due_in(1)))
    assert_said_once(beat, "beat waits")


def test_beat_outlives_a_restart_of_the_broker(on_redis: Jobs, redis: Server) -> None:
    jobs = on_redis
    jobs.worker()
    beat = jobs.beat()
    jobs.wait_for_status(jobs.add("Plain", execution_time=due_in(0.5)))
    redis.stop()
    later = jobs.add("Plain", execution_time=due_in(0.5))
    beat.wait_for("beat waits: the broker did not take the message")
    assert jobs.run(later).status is TickerStatus.IDLE
    redis.start()
    jobs.wait_for_status(later)
    assert_said_once(beat, "beat waits")
    beat.wait_for("answers again")
    assert set(jobs.starts().values()) == {1}


@pytest.mark.parametrize("kind", AWAY)
def test_sigterm_ends_a_beat_that_waits(kind: str, request: pytest.FixtureRequest) -> None:
    jobs = request.getfixturevalue(f"on_{kind}")
    jobs.worker(pool="solo")
    beat = jobs.beat()
    wait_until(lambda: jobs.node_names("beat"), jobs.logs)
    # An idle beat does not speak to the broker.
    jobs.add("Plain", execution_time=due_in(1))
    request.getfixturevalue(kind).stop()
    beat.wait_for(f"beat waits: {AWAY[kind]}")
    assert beat.stop(5) == 0
    assert "Traceback" not in beat.log
