"""PostgreSQL, through psycopg or another driver."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy import Connection, Table, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.dml import Insert

from tickerq_celery.store.database.dialects.base import (
    ANSWER_TIMEOUT,
    CONNECT_TIMEOUT,
    Dialect,
    first_argument,
    sqlstate,
)

_ENCODING = "UTF8"
# The kernel gives a silent network up: what was sent and not received, and a peer that is gone.
_CONNECT_ARGS: Mapping[str, object] = {
    "connect_timeout": CONNECT_TIMEOUT,
    "tcp_user_timeout": ANSWER_TIMEOUT * 1000,
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 4,
}
# psycopg prepares on the server what it sends often. That belongs to the session, and a pooler gives the next
# transaction another one, which does not know the statement, or has another client's by the same name.
# Nor does the environment decide how texts are sent.
_PSYCOPG_ARGS: Mapping[str, object] = {"prepare_threshold": None, "client_encoding": _ENCODING}
_LOCK_NUMBER = 0x7469636B
_NO_TABLE = "42P01"
_READ_ONLY = "25006"
_STALE = "40001"
_TRANSIENT = {_STALE, "40P01"}
# What each encoding must be, and where it is set.
_ENCODINGS = {
    "server_encoding": "make the store in a database of ENCODING 'UTF8' TEMPLATE template0",
    "client_encoding": "take it out of store_url and store_engine_options",
}


class PostgreSQL(Dialect):
    """PostgreSQL."""

    url_start = "postgresql+psycopg://"

    def connect_args(self, url: URL) -> dict[str, object]:
        return {**_CONNECT_ARGS, **(_PSYCOPG_ARGS if url.get_driver_name() == "psycopg" else {})}

    @contextmanager
    def migration_lock(self, connection: Connection) -> Iterator[None]:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_NUMBER})
        yield

    def insert_if_absent(self, table: Table) -> Insert:
        return postgresql.insert(table).on_conflict_do_nothing()

    def is_transient(self, error: DBAPIError) -> bool:
        return sqlstate(error) in _TRANSIENT

    def is_stale(self, error: DBAPIError) -> bool:
        # MariaDB's deadlock has the same SQLSTATE and a number, and undoes the whole transaction.
        return sqlstate(error) == _STALE and not isinstance(first_argument(error), int)

    def lacks_table(self, error: DBAPIError) -> bool:
        return sqlstate(error) == _NO_TABLE

    def encoding_flaw(self, connection: Connection) -> str | None:
        for setting, advice in _ENCODINGS.items():
            found = connection.exec_driver_sql(f"SHOW {setting}").scalar()
            if found != _ENCODING:
                return f"{setting} is {found}, and texts need {_ENCODING}: {advice}"
        return None

    def is_read_only(self, error: DBAPIError) -> bool:
        return sqlstate(error) == _READ_ONLY
