"""Numbered databases of a Redis server, each for one test at a time."""

from urllib.parse import urlsplit

from redis import Redis

RESERVED = "tickerq-test"


def reserve_database(server_url: str) -> str:
    """Find an empty database other than the server's first, mark it as taken and return its address."""
    with Redis.from_url(server_url) as connection:
        count = int(connection.config_get("databases")["databases"])
    for number in range(1, count):
        url = urlsplit(server_url)._replace(path=f"/{number}").geturl()
        with Redis.from_url(url) as connection:
            if connection.dbsize() == 0 and connection.set(RESERVED, 1, nx=True):
                return url
    raise RuntimeError(f"all {count} Redis databases are in use")


def release_database(url: str) -> None:
    """Empty a database that ``reserve_database`` found."""
    with Redis.from_url(url) as connection:
        if connection.exists(RESERVED):
            connection.flushdb()
