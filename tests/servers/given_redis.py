"""A Redis server that was given to the tests."""

from tests.servers.given import GivenServer
from tests.servers.redis_databases import release_database, reserve_database


def given_redis(url: str) -> GivenServer:
    """Return a given Redis server, of which tests use databases that are empty."""
    return GivenServer(url=url, create=reserve_database, drop=release_database)
