"""Numbered databases of a Redis server, each for one test at a time."""

from urllib.parse import urlsplit

from redis import Redis

RESERVED = "tickerq-test"
_EMPTY = "if redis.call('get', KEYS[1]) == ARGV[1] then redis.call('flushdb') end"


def reserve_database(server_url: str, owner: str = "run") -> str:
    """Find an empty database other than the server's first, mark it as the owner's and return its address."""
    with Redis.from_url(server_url) as connection:
        count = int(connection.config_get("databases")["databases"])
    for number in range(1, count):
        url = _address(server_url, number)
        with Redis.from_url(url) as connection:
            if connection.dbsize() == 0 and connection.set(RESERVED, owner, nx=True):
                return url
    raise RuntimeError(f"all {count} Redis databases are in use")


def release_database(url: str, owner: str = "run") -> None:
    """Empty a database, if it is marked as the owner's."""
    with Redis.from_url(url) as connection:
        connection.eval(_EMPTY, 1, RESERVED, owner)


def marks(server_url: str) -> dict[str, str]:
    """Return the addresses of the databases that are reserved, each with its mark."""
    with Redis.from_url(server_url) as connection:
        numbers = [int(name.removeprefix("db")) for name in connection.info("keyspace")]
    found = {}
    for url in (_address(server_url, number) for number in numbers):
        with Redis.from_url(url, decode_responses=True) as connection:
            if (mark := connection.get(RESERVED)) is not None:
                found[url] = mark
    return found


def _address(server_url: str, number: int) -> str:
    return urlsplit(server_url)._replace(path=f"/{number}").geturl()
