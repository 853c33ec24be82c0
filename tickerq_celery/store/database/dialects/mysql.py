"""MariaDB and MySQL."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Table, bindparam, text
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
from tickerq_celery.store.tables import metadata

logger = logging.getLogger(__name__)

# One server may hold several stores; a lock's name is the server's, and of 64 characters at most.
_LOCK_NAME = "CONCAT('tickerq_migration_', MD5(DATABASE()))"
# In seconds; then it says that it waits.
_LOCK_WAIT = 25
_CHARSET = "utf8mb4"
_OTHER_TABLES = text(
    "SELECT table_name, table_collation FROM information_schema.tables"
    " WHERE table_schema = DATABASE() AND table_name IN :names AND table_collation NOT LIKE :prefix"
).bindparams(bindparam("names", list(metadata.tables), expanding=True), prefix=f"{_CHARSET}%")
_COLUMN = re.compile(r"for column (?:\S*\.)?[`'](\w+)[`']")
_TRANSIENT = {1020, 1205, 1213}
_CHECK_VIOLATED = {4025, 3819}
_NO_TABLE = 1146
_READ_ONLY = {1290, 1836}


class MySQL(Dialect):
    """MariaDB and MySQL."""

    url_start = "mysql+pymysql://"
    answer_arguments = ("read_timeout", "write_timeout")

    def connect_args(self, url: URL) -> dict[str, object]:
        # Beat sets a socket timeout for the whole process: say ours, so that it does not decide.
        bounds = dict.fromkeys(self.answer_arguments, ANSWER_TIMEOUT)
        return {"connect_timeout": CONNECT_TIMEOUT, "charset": _CHARSET, **bounds}

    @contextmanager
    def migration_lock(self, connection: Connection) -> Iterator[None]:
        _take_lock(connection)
        try:
            yield
            # This lock ends before the transaction does, and the next process must see what this one wrote.
            connection.exec_driver_sql("COMMIT")
        finally:
            # The server releases that of a lost connection, whose loss is the error to report.
            if not connection.invalidated:
                connection.execute(text(f"SELECT RELEASE_LOCK({_LOCK_NAME})"))

    def insert_if_absent(self, table: Table) -> Insert:
        key = next(iter(table.primary_key.columns))
        return mysql.insert(table).on_duplicate_key_update({key.name: key})

    def is_transient(self, error: DBAPIError) -> bool:
        return first_argument(error) in _TRANSIENT

    def lacks_table(self, error: DBAPIError) -> bool:
        return bool(first_argument(error) == _NO_TABLE)

    def encoding_flaw(self, connection: Connection) -> str | None:
        client = connection.exec_driver_sql("SELECT @@character_set_client").scalar()
        if client != _CHARSET:
            return f"charset is {client}, and texts need {_CHARSET}: say charset={_CHARSET} in store_url"
        # Whatever the database's own is: it is that of tables which say nothing else.
        other = connection.execute(_OTHER_TABLES).first()
        if other is not None:
            return f"the table {other[0]} has the collation {other[1]}, and texts need {_CHARSET}"
        return None

    def refused_column(self, error: DBAPIError) -> str | None:
        found = _COLUMN.search(str(error.orig))
        return None if found is None else found[1]

    def is_read_only(self, error: DBAPIError) -> bool:
        return first_argument(error) in _READ_ONLY

    def is_violation(self, error: DBAPIError) -> bool:
        return first_argument(error) in _CHECK_VIOLATED


def _take_lock(connection: Connection) -> None:
    statement = text(f"SELECT GET_LOCK({_LOCK_NAME}, :wait)")
    while (taken := connection.scalar(statement, {"wait": _LOCK_WAIT})) != 1:
        if taken is None:
            raise StoreError("the server refused the lock of migrations")
        logger.warning("migration waiting: another process is changing the tables of this store")
