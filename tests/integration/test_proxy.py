"""The proxy of the tests counts round trips and cuts answers as it says."""

from collections.abc import Callable, Iterator

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry

from tests.servers.pool import SharedServer
from tests.servers.proxy import TcpProxy


@pytest.fixture
def url(shared_server: Callable[[str], SharedServer]) -> Iterator[str]:
    """An empty database of a Redis server."""
    server = shared_server("redis")
    made = server.new_database()
    yield made
    server.drop_database(made)


@pytest.fixture
def proxy(url: str) -> Iterator[TcpProxy]:
    """A proxy before that server."""
    with TcpProxy(url) as made:
        yield made


@pytest.fixture
def client(proxy: TcpProxy, url: str) -> Iterator[Redis]:
    """A client that knows the proxy only, and repeats nothing by itself."""
    with Redis.from_url(proxy.before(url), retry=Retry(NoBackoff(), 0)) as made:
        made.ping()
        proxy.forget()
        yield made


def test_a_request_and_its_answer_are_a_round_trip_however_long_they_are(
    client: Redis, proxy: TcpProxy
) -> None:
    long = b"x" * 500_000
    client.set("key", long)
    assert client.get("key") == long
    assert [long in request for request in proxy.requests] == [True, False]


def test_what_is_sent_at_once_is_one_round_trip(client: Redis, proxy: TcpProxy) -> None:
    with client.pipeline(transaction=False) as pipeline:
        pipeline.rpush("list", "a").rpush("list", "b").execute()
    assert len(proxy.requests) == 1


def test_a_cut_answer_is_to_a_request_that_was_done(client: Redis, proxy: TcpProxy, url: str) -> None:
    proxy.cut_answer_to(b"RPUSH")
    client.set("key", "value")
    with pytest.raises(RedisConnectionError):
        client.rpush("list", "a")
    assert client.rpush("list", "b") == 2
    assert proxy.cuts == 1
