"""A MariaDB server of our own."""

from collections.abc import Sequence
from typing import ClassVar

from sqlalchemy.exc import OperationalError

from tests.servers import sql_databases
from tests.servers.finding import program
from tests.servers.server import Server

# A log flush of 2 leaves commits to the system, which survives a kill; the zone is not UTC, so that a
# statement which relies on the server's zone fails. Encryption would cost a fifth of the time.
OPTIONS = (
    "--bind-address=127.0.0.1",
    "--skip-name-resolve",
    "--skip-ssl",
    "--skip-log-bin",
    "--max-connections=200",
    "--performance-schema=OFF",
    "--innodb-buffer-pool-size=64M",
    "--innodb-flush-log-at-trx-commit=2",
    "--default-time-zone=+05:30",
)


class MariadbServer(Server):
    """MariaDB: commits survive a kill, though not a crash of the machine."""

    user = "mysql"
    options: ClassVar[Sequence[str]] = OPTIONS
    not_ready = (OperationalError,)

    @property
    def url(self) -> str:
        # Else PyMySQL would read the system's certificates for each connection, to no end.
        return f"mysql+pymysql://root@127.0.0.1:{self.port}/mysql?charset=utf8mb4&ssl_disabled=true"

    def new_database(self) -> str:
        return sql_databases.create_database(self.url)

    def drop_database(self, url: str) -> None:
        sql_databases.drop_database(self.url, url)

    def prepare(self) -> None:
        options = ("--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve")
        self.run(program("mariadb-install-db"), "--no-defaults", f"--datadir={self.folder}/data", *options)

    def command(self) -> Sequence[str]:
        paths = (
            f"--datadir={self.folder}/data",
            f"--socket={self.folder}/socket",
            f"--pid-file={self.folder}/pid",
            f"--port={self.port}",
        )
        return [program("mariadbd"), "--no-defaults", *paths, *self.options]

    def ping(self) -> None:
        sql_databases.ping(self.url)
