"""MariaDB and MySQL."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Table, text
from sqlalchemy.dialects import mysql
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.dml import Insert

from tickerq_celery.errors import StoreError
from tickerq_celery.store.database.dialects.base import (
    ANSWER_TIMEOUT,
    CONNECT_TIMEOUT,
    Dialect,
    first_argument,
)

_LOCK_NAME = "tickerq_migration"
_TRANSIENT = {1020, 1205, 1213}
_CHECK_VIOLATED = {4025, 3819}
_NO_TABLE = 1146
_READ_ONLY = {1290, 1836}


class MySQL(Dialect):
    """MariaDB and MySQL."""

    def connect_args(self, url: URL) -> dict[str, object]:
        # Beat sets a socket timeout for the whole process: say ours, so that it does not decide.
        return {
            "connect_timeout": CONNECT_TIMEOUT,
            "read_timeout": ANSWER_TIMEOUT,
            "write_timeout": ANSWER_TIMEOUT,
        }

    @contextmanager
    def migration_lock(self, connection: Connection) -> Iterator[None]:
        taken = connection.execute(
            text("SELECT GET_LOCK(:name, :wait)"), {"name": _LOCK_NAME, "wait": ANSWER_TIMEOUT - 5}
        ).scalar()
        if taken != 1:
            raise StoreError("another process has been changing the tables for too long")
        try:
            yield
            # This lock ends before the transaction does, and the next process must see what this one wrote.
            connection.exec_driver_sql("COMMIT")
        finally:
            connection.execute(text("SELECT RELEASE_LOCK(:name)"), {"name": _LOCK_NAME})

    def insert_if_absent(self, table: Table) -> Insert:
        key = next(iter(table.primary_key.columns))
        return mysql.insert(table).on_duplicate_key_update({key.name: key})

    def is_transient(self, error: DBAPIError) -> bool:
        return first_argument(error) in _TRANSIENT

    def lacks_table(self, error: DBAPIError) -> bool:
        return bool(first_argument(error) == _NO_TABLE)

    def is_read_only(self, error: DBAPIError) -> bool:
        return first_argument(error) in _READ_ONLY

    def is_violation(self, error: DBAPIError) -> bool:
        return first_argument(error) in _CHECK_VIOLATED
