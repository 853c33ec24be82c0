"""What each service needs on the machine, and how to get what is missing."""

import importlib.util
import os
from collections.abc import Mapping
from dataclasses import dataclass

from tests.servers.finding import find_program


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A server, browser or the like that some tests cannot do without."""

    label: str
    programs: tuple[str, ...]
    package: str
    driver: str | None = None
    url_variable: str | None = None

    @property
    def given_url(self) -> str | None:
        """The address of a running one to use, if the environment names it."""
        return os.environ.get(self.url_variable) if self.url_variable else None

    def missing(self) -> str | None:
        """Say in one line what is missing and how to get it, or None if nothing is."""
        if self.driver and importlib.util.find_spec(self.driver) is None:
            return f"{self.label}: no Python driver {self.driver}: make venv"
        absent = [] if self.given_url else [name for name in self.programs if find_program(name) is None]
        if not absent:
            return None
        instead = f", or set {self.url_variable}" if self.url_variable else ""
        return f"{self.label}: no {' and no '.join(absent)}: apt install {self.package}{instead}"


SERVICES: Mapping[str, Service] = {
    "postgres": Service(
        label="PostgreSQL",
        programs=("initdb", "postgres"),
        package="postgresql",
        driver="psycopg",
        url_variable="TICKERQ_TEST_POSTGRES_URL",
    ),
    "mariadb": Service(
        label="MariaDB",
        programs=("mariadbd", "mariadb-install-db"),
        package="mariadb-server",
        driver="pymysql",
        url_variable="TICKERQ_TEST_MARIADB_URL",
    ),
    "redis": Service(
        label="Redis",
        programs=("redis-server",),
        package="redis-server",
        driver="redis",
        url_variable="TICKERQ_TEST_REDIS_URL",
    ),
    "rabbitmq": Service(
        label="RabbitMQ",
        programs=("rabbitmq-server", "rabbitmqctl", "epmd"),
        package="rabbitmq-server",
        driver="amqp",
        url_variable="TICKERQ_TEST_RABBITMQ_URL",
    ),
    # It stands before a PostgreSQL server, so a test that needs it needs that one, too.
    "pgbouncer": Service(label="PgBouncer", programs=("pgbouncer",), package="pgbouncer"),
    "chromium": Service(label="Chromium", programs=("chromium",), package="chromium", driver="playwright"),
}
