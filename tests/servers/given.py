"""Servers that were given to the tests, used through the address in the environment."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.servers import sql_databases


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenServer:
    """A running server, in which tests make databases of their own."""

    url: str
    create: Callable[[str], str]
    drop: Callable[[str], None]

    def new_database(self) -> str:
        """Make an empty database and return its address."""
        return self.create(self.url)

    def drop_database(self, url: str) -> None:
        """Remove a database made by ``new_database``."""
        self.drop(url)

    def close(self) -> None:
        """Leave the server running: it is not ours."""


def given_sql(url: str) -> GivenServer:
    """Return a given PostgreSQL or MariaDB server."""
    return GivenServer(
        url=url,
        create=sql_databases.create_database,
        drop=lambda made: sql_databases.drop_database(url, made),
    )


def given_rabbitmq(url: str) -> GivenServer:
    """Return a given RabbitMQ server; its virtual host serves all tests, since AMQP cannot make one."""
    return GivenServer(url=url, create=lambda whole: whole, drop=lambda _made: None)
