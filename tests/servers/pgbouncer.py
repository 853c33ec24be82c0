"""A PgBouncer of our own, in front of a PostgreSQL server of the tests."""

import signal
from collections.abc import Sequence

from sqlalchemy import make_url
from sqlalchemy.exc import OperationalError

from tests.servers import sql_databases
from tests.servers.finding import program
from tests.servers.pool import SharedServer
from tests.servers.server import Server

SERVER_CONNECTIONS = 2
# Two server connections for any number of clients, each lent for one transaction and then put at the end of
# the line: a client rarely gets the same one twice, so whatever it left there is missed, or met by another.
SETTINGS = {
    "listen_addr": "127.0.0.1",
    "unix_socket_dir": "",
    "auth_type": "trust",
    "pool_mode": "transaction",
    "default_pool_size": str(SERVER_CONNECTIONS),
    "server_round_robin": "1",
    "max_prepared_statements": "0",
    "max_client_conn": "200",
}


class PgbouncerServer(Server):
    """PgBouncer in transaction mode, for all databases of the PostgreSQL server behind it."""

    user = "postgres"
    stop_signal = signal.SIGQUIT  # "immediate": does not wait for clients
    not_ready = (OperationalError,)

    def __init__(self, behind: SharedServer) -> None:
        super().__init__()
        self._behind = behind

    @property
    def url(self) -> str:
        return self.before(self._behind.url)

    def before(self, url: str) -> str:
        """Return the address that leads through the pooler to this database of the server behind it."""
        through = make_url(url).set(host="127.0.0.1", port=self.port)
        return through.render_as_string(hide_password=False)

    def new_database(self) -> str:
        return self.before(self._behind.new_database())

    def drop_database(self, url: str) -> None:
        self._behind.drop_database(url)

    def prepare(self) -> None:
        behind = make_url(self._behind.url)
        settings = {**SETTINGS, "listen_port": str(self.port), "auth_file": f"{self.folder}/users.txt"}
        lines = ["[databases]", f"* = host={behind.host or '127.0.0.1'} port={behind.port or 5432}"]
        lines += ["[pgbouncer]", *(f"{name} = {value}" for name, value in settings.items())]
        self._write("pgbouncer.ini", "\n".join(lines))
        self._write("users.txt", f'"{behind.username}" "{behind.password or ""}"')

    def command(self) -> Sequence[str]:
        return [program("pgbouncer"), f"{self.folder}/pgbouncer.ini"]

    def ping(self) -> None:
        sql_databases.ping(self.url)

    def _write(self, name: str, content: str) -> None:
        path = self.folder / name
        path.write_text(f"{content}\n")
        self.account.own(path)
