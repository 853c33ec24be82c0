"""The servers of one test run, each started when the first test asks for it."""

import importlib
from functools import partial
from pathlib import Path
from typing import Protocol

from tests.servers.server import Server
from tests.servers.services import SERVICES
from tests.servers.shared import RunsServer

# By name, and imported when asked for, since a driver may not be installed.
OWN = {
    "postgres": "tests.servers.postgres:PostgresServer",
    "mariadb": "tests.servers.mariadb:MariadbServer",
    "redis": "tests.servers.redis:RedisServer",
    "rabbitmq": "tests.servers.rabbitmq:RabbitmqServer",
}
GIVEN = {
    "postgres": "tests.servers.given_sql:GivenSql",
    "mariadb": "tests.servers.given_sql:GivenSql",
    "redis": "tests.servers.given_redis:GivenRedis",
    "rabbitmq": "tests.servers.given_rabbitmq:GivenRabbitmq",
}


class SharedServer(Protocol):
    """A server that several tests use, so that none of them may stop it."""

    @property
    def url(self) -> str:
        """The address of the server."""

    def new_database(self) -> str:
        """Make an empty database and return its address."""

    def drop_database(self, url: str) -> None:
        """Remove a database made by ``new_database``."""

    def close(self) -> None:
        """End the server if it is ours."""


class ServerPool:
    """Shared servers by kind; those of our own serve all processes that have this folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._shared: dict[str, SharedServer] = {}

    def shared(self, kind: str) -> SharedServer:
        """Return the running server of a kind: the given one, else one of our own."""
        if kind not in self._shared:
            self._shared[kind] = _use_given(kind) or RunsServer(kind, self._folder, partial(new_server, kind))
        return self._shared[kind]

    def close(self) -> None:
        """Use them no more, and end what is ours once no process uses it."""
        while self._shared:
            self._shared.popitem()[1].close()


def new_server(kind: str) -> Server:
    """Return a server of our own that no other test uses, not yet started."""
    server: Server = _load(OWN[kind])()
    return server


def _use_given(kind: str) -> SharedServer | None:
    url = SERVICES[kind].given_url
    given: SharedServer | None = _load(GIVEN[kind])(url) if url else None
    return given


def _load(path: str) -> type:
    module, _, name = path.partition(":")
    found: type = getattr(importlib.import_module(module), name)
    return found
