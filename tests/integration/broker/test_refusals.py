"""Brokers that are there and take no messages: what they say is in the error, and no publish hangs."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
from celery import Celery
from kombu import Connection
from redis import Redis

from tests.acceptance.waiting import wait_until
from tests.inner import CeleryPublisher
from tests.integration.broker.handing_over import ids_in, make_claims, on_rabbitmq, publishing, taken
from tests.servers.availability import require
from tests.servers.rabbitmq import RabbitmqServer
from tests.servers.redis import RedisServer
from tickerq_celery.broker.confirms import BlockedError, ConfirmedProducer
from tickerq_celery.errors import PublishError
from tickerq_celery.tickers.handover import Handover


@contextmanager
def publishing_to(url: str) -> Iterator[CeleryPublisher]:
    with closing(Celery("refusals", broker=url, set_as_current=False)) as app, publishing(app) as publisher:
        yield publisher


def refusal(handover: Handover) -> str | None:
    assert isinstance(handover.failure, PublishError)
    return handover.failure.refusal


@pytest.mark.parametrize("count", [1, 3])
def test_redis_at_its_maxmemory_says_so_until_it_has_room(redis: RedisServer, count: int) -> None:
    claims = make_claims(count)
    with Redis.from_url(redis.url) as admin, publishing_to(redis.url) as publisher:
        assert publisher.hand_over(claims).taken == claims
        admin.config_set("maxmemory", 1)
        for _ in range(2):
            assert (refusal(publisher.hand_over(claims)) or "").startswith(
                "refused messages: OOM command not allowed when used memory > 'maxmemory'"
            )
        admin.config_set("maxmemory", 0)
        assert publisher.hand_over(claims).taken == claims


def test_a_replica_says_that_it_is_one(pytestconfig: pytest.Config, redis: RedisServer) -> None:
    options = ("--replicaof", f"127.0.0.1 {redis.port}")
    with RedisServer(options=options) as replica, publishing_to(replica.url) as publisher:
        for count in (1, 3):
            found = refusal(publisher.hand_over(make_claims(count))) or ""
            assert found.startswith("refused messages: READONLY You can't write against a read only replica")


def test_a_redis_that_is_lost_is_not_one_that_refuses(pytestconfig: pytest.Config) -> None:
    require(pytestconfig, "redis")
    with RedisServer() as server, publishing_to(server.url) as publisher:
        publisher.hand_over(make_claims(1))
        server.stop()
        for count in (1, 3):
            assert refusal(publisher.hand_over(make_claims(count))) is None


ON_MEMORY = "set_vm_memory_high_watermark"


@pytest.mark.verify  # a RabbitMQ of its own takes seconds to start
def test_an_alarm_of_rabbitmq_is_said_at_once_and_leaves_one_message_that_is_read_when_it_is_over(
    pytestconfig: pytest.Config,
) -> None:
    require(pytestconfig, "rabbitmq")
    with RabbitmqServer() as server:
        url = server.new_database()
        with publishing_to(url) as publisher:
            publisher.connect()
            server.control(ON_MEMORY, "absolute", "1MB")
            [claim] = make_claims(1)
            wait_until(lambda: publisher.hand_over([claim]).failure, lambda: "no alarm")
            for count in (1, 3):
                found = refusal(publisher.hand_over(make_claims(count)))
                assert found == "taken no messages, as it has an alarm: low on memory"
                # RabbitMQ does not read from the connection, which would wait for its answer.
                assert publisher.queue_size("celery") is None
            server.control(ON_MEMORY, "0.9")
            last = make_claims(3)
            wait_until(lambda: publisher.hand_over(last).failure is None, lambda: "the alarm goes on")
            with closing(Celery("refusals", broker=url, set_as_current=False)) as app:
                ids = ids_in(taken(app, "celery"))
            server.control(ON_MEMORY, "absolute", "1MB")
            wait_until(lambda: publisher.hand_over([claim]).failure, lambda: "no alarm")
            server.kill()
            wait_until(lambda: refusal(publisher.hand_over([claim])) is None, lambda: "it is not lost")
    # That of the first try in the alarm, which it had not read then, and none of each later one.
    assert ids == [claim.id] * (len(ids) - 3) + [each.id for each in last]
    assert claim.id in ids


@on_rabbitmq
def test_a_broker_that_beats_and_confirms_nothing_is_waited_for_as_long_as_it_may_take(
    broker_url: str,
) -> None:
    # As of a quorum queue without its majority. RabbitMQ sends two heartbeats a second here.
    with Connection(f"{broker_url}?heartbeat=1") as connection:
        producer = ConfirmedProducer(connection)
        producer._unconfirmed[1] = None
        with pytest.raises(TimeoutError):
            producer.await_confirms(connection, 0.7)


@on_rabbitmq
def test_a_message_that_an_alarm_has_given_back_fails_no_later_one(broker_url: str) -> None:
    with Connection(broker_url) as connection:
        producer = ConfirmedProducer(connection)
        producer._unconfirmed.update({1: None, 2: None})
        producer._refuse(1, False)
        producer._block("low on memory")
        with pytest.raises(BlockedError):
            producer._raise_blocked()
        producer._unblock()
        producer._refuse(2, False)
        producer.await_confirms(connection, 5.0)
