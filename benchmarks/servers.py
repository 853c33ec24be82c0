"""The servers that are measured on: given ones, or ones of our own that have each commit on the disk."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from tests.servers import mariadb, postgres
from tests.servers.given_rabbitmq import GivenRabbitmq
from tests.servers.given_redis import GivenRedis
from tests.servers.given_sql import GivenSql
from tests.servers.pool import SharedServer, new_server
from tests.servers.services import SERVICES

SQLITE = "sqlite"
GIVEN = {
    "postgres": GivenSql,
    "mariadb": GivenSql,
    "redis": GivenRedis,
    "rabbitmq": GivenRabbitmq,
}


class DurablePostgres(postgres.PostgresServer):
    """PostgreSQL as it is run in earnest: each commit is on the disk."""

    settings: Mapping[str, str] = {
        **postgres.SETTINGS,
        "shared_buffers": "256MB",
        "fsync": "on",
        "synchronous_commit": "on",
        "timezone": "UTC",
    }


class DurableMariadb(mariadb.MariadbServer):
    """MariaDB as it is run in earnest: each commit is on the disk."""

    options: Sequence[str] = (
        *mariadb.OPTIONS,
        "--innodb-buffer-pool-size=256M",
        "--innodb-flush-log-at-trx-commit=1",
        "--default-time-zone=+00:00",
    )


OWN = {"postgres": DurablePostgres, "mariadb": DurableMariadb}


class Servers:
    """Each kind of server, started when it is first asked for and ended with the block."""

    def __init__(self) -> None:
        self._running: dict[str, SharedServer] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        while self._running:
            self._running.popitem()[1].close()

    def missing(self, kind: str) -> str | None:
        """Return in one line what a kind of server lacks on this machine, or None if it can be used."""
        return None if kind == SQLITE else SERVICES[kind].missing()

    def url(self, kind: str) -> str:
        """Return the address of the running server of a kind."""
        if kind not in self._running:
            self._running[kind] = self._started(kind)
        return self._running[kind].url

    @contextmanager
    def new_database(self, kind: str) -> Iterator[str]:
        """Give the address of an empty database, a file of SQLite or what a broker calls so."""
        if kind == SQLITE:
            with tempfile.TemporaryDirectory() as folder:
                yield f"sqlite:///{Path(folder)}/tickers.db"
            return
        self.url(kind)
        database = self._running[kind].new_database()
        try:
            yield database
        finally:
            self._running[kind].drop_database(database)

    def _started(self, kind: str) -> SharedServer:
        given = SERVICES[kind].given_url
        if given:
            return GIVEN[kind](given)
        server = OWN[kind]() if kind in OWN else new_server(kind)
        return server.__enter__()
