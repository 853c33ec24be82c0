"""Redis without persistence: what it loses is published again, what it delivers too late is dropped."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from uuid import UUID

import pytest
from redis import Redis
from sqlalchemy import select

from tests.acceptance.jobs import STAMPED, Jobs
from tests.acceptance.waiting import wait_until
from tests.integration.apps import enrol_worker
from tests.servers.availability import require
from tests.servers.pool import new_server
from tests.servers.server import Server
from tests.tables import tickers

pytestmark = pytest.mark.acceptance

QUEUE = "celery"
FILLER = "x" * 10_000


@pytest.fixture(scope="module")
def redis(pytestconfig: pytest.Config) -> Iterator[Server]:
    require(pytestconfig, "redis")
    with new_server("redis") as server:
        yield server


@pytest.fixture
def broker(redis: Server) -> Iterator[Redis]:
    with Redis.from_url(redis.url) as connection:
        connection.flushall()
        yield connection


def messages(broker: Redis) -> int:
    """Count the messages of a queue: kombu keeps a list for each priority."""
    return sum(broker.llen(key) for key in broker.keys(f"{QUEUE}*") if broker.type(key) == b"list")


def flush(redis: Server, broker: Redis) -> None:
    broker.flushall()


def kill_and_restart(redis: Server, broker: Redis) -> None:
    redis.kill()
    redis.start()


def evict(redis: Server, broker: Redis) -> None:
    """Let Redis make room, as it does where it is a cache, until the queue is gone."""
    used = int(broker.info("memory")["used_memory"])
    broker.config_set("maxmemory-policy", "allkeys-lru")
    broker.config_set("maxmemory", used + 20 * len(FILLER))
    written = 0
    while messages(broker):
        written += 1
        broker.set(f"filler {written}", FILLER)
        assert written < 10_000, "nothing was evicted"
    broker.config_set("maxmemory", 0)


@pytest.mark.verify  # tests/windows loses messages of one broker
@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_runs_whose_messages_redis_lost_start_once(
    make_jobs: Callable[..., Jobs], store_url: str, redis: Server, broker: Redis
) -> None:
    # The first to have the function is no process, and takes no message: hence the lease.
    jobs = make_jobs(store_url, redis.url, lease=300, republish_after=2)
    jobs.tickerq.function("Plain")(lambda: None)
    enrol_worker(jobs.tickerq)
    ids: list[UUID] = []
    for lose in (evict, flush, kill_and_restart):
        ids += jobs.add_many(50)
        assert jobs.count(STAMPED) == len(ids)
        assert messages(broker) == 50
        lose(redis, broker)
        assert messages(broker) == 0

    jobs.worker()
    beat = jobs.beat()
    jobs.wait_for_all(ids)
    assert beat.lines("publishing again")
    assert jobs.starts() == Counter({str(run_id): 1 for run_id in ids})
    assert jobs.count(tickers.c.claim_no != 1) == 0


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_what_redis_lost_is_missed_after_a_lease_whatever_republish_after_says(
    make_jobs: Callable[..., Jobs], store_url: str, redis: Server, broker: Redis
) -> None:
    jobs = make_jobs(store_url, redis.url, republish_after=3600)
    jobs.worker("-Q", "elsewhere")  # it makes the functions known, and takes no message
    ids = jobs.add_many(20)
    assert messages(broker) == 20
    flush(redis, broker)
    beat = jobs.beat()
    jobs.worker()
    jobs.wait_for_all(ids)
    assert beat.lines("publishing again 20 runs", "of 20 the message was lost")
    assert jobs.starts() == Counter({str(run_id): 1 for run_id in ids})


def redeliver(jobs: Jobs) -> None:
    """Let kombu give back what was never acknowledged, as it does after the visibility timeout."""
    options = {"visibility_timeout": -1}
    with closing(jobs.tickerq.app.connection_for_read(transport_options=options)) as connection:
        connection.default_channel.qos.restore_visible(num=100)


def claim_of(jobs: Jobs, run_id: UUID) -> int:
    statement = select(tickers.c.claim_no).where(tickers.c.id == run_id)
    return int(jobs.tickerq.core.database.read(lambda connection: connection.scalars(statement).one()))


@pytest.mark.verify
@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_what_a_dead_worker_had_prefetched_starts_again_and_its_late_redelivery_is_dropped(
    make_jobs: Callable[..., Jobs], store_url: str, redis: Server, broker: Redis
) -> None:
    # What the broker lost is not looked for here: the dead worker is.
    jobs = make_jobs(store_url, redis.url, republish_after=300)
    killed = jobs.worker(concurrency=1)
    dying = jobs.add("Dies", "outside")
    jobs.wait_for_note(f"dies {dying}")
    ids = jobs.add_many(4, function="Fails", request=1, retries=1, retry_intervals=[3])
    wait_until(lambda: broker.hlen("unacked") == len(ids), jobs.logs)
    killed.kill()

    jobs.beat()
    other = jobs.worker()
    for run_id in ids:
        jobs.wait_for_note(f"attempt {run_id} 0")
    assert broker.hlen("unacked") >= len(ids), "Redis did not hide what the dead worker had"
    redeliver(jobs)
    for run_id in ids:
        other.wait_for(f"dropped a stale message of run {run_id}, claim 1")
    jobs.wait_for_all([dying, *ids])
    assert Counter(jobs.notes("attempt ")) == {
        f"attempt {run_id} {number}": 1 for run_id in ids for number in (0, 1)
    }
    assert {claim_of(jobs, run_id) for run_id in ids} == {2}
    assert [attempt.exception_type for attempt in jobs.run(dying).attempts] == ["WorkerLost", None]
