"""A PostgreSQL server of our own."""

import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from sqlalchemy.exc import OperationalError

from tests.servers import sql_databases
from tests.servers.finding import program
from tests.servers.server import Server

# Not UTC, so that a statement which relies on the server's zone fails.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "fsync": "off",
    "timezone": "Asia/Kolkata",
}


class PostgresServer(Server):
    """PostgreSQL: commits survive a kill, though not a crash of the machine."""

    user = "postgres"
    settings: ClassVar[Mapping[str, str]] = SETTINGS
    stop_signal = signal.SIGINT  # "fast": does not wait for clients
    end_signal = signal.SIGQUIT  # after a SIGKILL, its shared memory segment would stay
    not_ready = (OperationalError,)

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://tickerq@127.0.0.1:{self.port}/postgres"

    def new_database(self) -> str:
        return sql_databases.create_database(self.url)

    def drop_database(self, url: str) -> None:
        sql_databases.drop_database(self.url, url)

    def prepare(self) -> None:
        options = ("--username=tickerq", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
        self.run(program("initdb"), f"--pgdata={self.folder}/data", *options)

    def command(self) -> Sequence[str]:
        settings = {**self.settings, "port": str(self.port), "unix_socket_directories": str(self.folder)}
        pairs = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        # Another version's server refuses the data.
        beside_initdb = str(Path(program("initdb")).parent)
        return [program("postgres", before=[beside_initdb]), "-D", f"{self.folder}/data", *pairs]

    def ping(self) -> None:
        sql_databases.ping(self.url)
