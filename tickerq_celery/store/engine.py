"""The store's transactions, and the one place where whole ones are retried."""

import os
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, NestedTransaction, Table, insert, text
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoFreeConnectionError

from tickerq_celery.errors import ConfigError, SchemaError, StoreError
from tickerq_celery.store.connecting import ANSWER_TIMEOUT, READING, is_locked, make_engine

T = TypeVar("T")
_MYSQL_TRANSIENT = {1020, 1205, 1213}
# MariaDB and MySQL say of a violated CHECK what they say of an outage: OperationalError.
_MYSQL_CHECK_VIOLATED = {4025, 3819}
# A server that only reads was the first of several a moment ago, or is being moved: writes may come back.
_MYSQL_NO_TABLE = 1146
_SQLSTATE_NO_TABLE = "42P01"
NO_TABLES = "the store has no tables yet: run `celery -A yourapp tickerq migrate`, or tickerq.create_schema()"
_MYSQL_READ_ONLY = {1290, 1836}
_SQLSTATE_READ_ONLY = "25006"
_SQLSTATE_STALE = "40001"
_SQLSTATE_TRANSIENT = {_SQLSTATE_STALE, "40P01"}
_SQLITE_LOCKED = "database is locked"
_SQLITE_CANNOT_OPEN = "unable to open database file"
_SUPPORTED = {"sqlite", "postgresql", "mysql", "mariadb"}
_LOCK_NAME = "tickerq_migration"
_LOCK_NUMBER = 0x7469636B


def resolved_url(url: str, folder: Path) -> URL:
    """Return the store's URL with a SQLite path made absolute under ``folder``.

    Raises:
        ConfigError: The URL cannot be read, names an unsupported database, or an in-memory one.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # Not shown, nor the error that may quote it: where it ends and a password begins cannot be told.
        raise ConfigError("store_url", "not a database URL") from None
    if parsed.get_backend_name() not in _SUPPORTED:
        raise ConfigError("store_url", f"no support for {parsed.get_backend_name()!r}")
    if parsed.get_backend_name() != "sqlite":
        return parsed
    if not parsed.database or parsed.database == ":memory:" or "mode=memory" in url:
        raise ConfigError("store_url", "an in-memory database cannot be shared by processes: name a file")
    return parsed.set(database=str((folder / parsed.database).resolve()))


def database_file(url: URL) -> Path | None:
    """Return the file of a SQLite store, or None for a server's."""
    return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None


class Database:
    """The store's connections in this process: made when first used, made anew after a fork.

    ``work`` functions get a connection inside a transaction and must be repeatable: a transaction that
    the database refused for a passing reason is run again, up to ``retries`` times.
    """

    def __init__(
        self, url: URL, *, options: Mapping[str, object] | None = None, retries: int = 3, pooled: bool = True
    ) -> None:
        self.url = url
        self._options = dict(options or {})
        self._retries = retries
        self._pooled = pooled
        self._engine: Engine | None = None
        self._pid = 0
        self._mutex = threading.Lock()
        # Engines made before a fork: kept, since closing their connections here would close the parent's.
        self._inherited: list[Engine] = []

    @property
    def engine(self) -> Engine:
        """This process's engine."""
        if self._engine is None or self._pid != os.getpid():
            self._open()
        if self._engine is None:
            raise StoreError("the engine was closed by another thread")
        return self._engine

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` in a transaction, commit, and return what it returned.

        Raises:
            StoreError: The database cannot be reached, or refused every try.
        """
        return self._retried(lambda: self._transact(work, reading=False))

    def read(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` in a transaction that writes nothing, and return what it returned.

        Raises:
            StoreError: The database cannot be reached, or refused every try.
        """
        return self._retried(lambda: self._transact(work, reading=True))

    def close(self) -> None:
        """Close this process's connections; the next use opens new ones."""
        with self._mutex:
            if self._engine is not None and self._pid == os.getpid():
                self._engine.dispose()
                self._engine = None

    def _open(self) -> None:
        with self._mutex:
            if self._engine is not None and self._pid != os.getpid():
                self._inherited.append(self._engine)
                self._engine = None
            if self._engine is None:
                self._engine = make_engine(self.url, self._options, pooled=self._pooled)
                self._pid = os.getpid()

    def _transact(self, work: Callable[[Connection], T], *, reading: bool) -> T:
        with self.engine.connect() as connection:
            connection.execution_options(**{READING: reading})
            transaction = connection.begin()
            try:
                result = work(connection)
            # Whatever ends the work, a signal too, must not leave the transaction open.
            except BaseException:
                transaction.rollback()
                raise
            try:
                transaction.commit()
            except DBAPIError as error:
                # Whether it was written is unknown: a repeat might do the work twice.
                if error.connection_invalidated:
                    raise StoreError(_reason(error, self.url)) from error
                raise
            return result

    def _retried(self, transact: Callable[[], T]) -> T:
        for attempt in range(self._retries + 1):
            try:
                return transact()
            except NoFreeConnectionError as error:
                raise StoreError(str(error.args[0])) from error
            except DBAPIError as error:
                if is_transient(error) and attempt < self._retries:
                    time.sleep(random.uniform(0, 0.05 * 2**attempt))  # noqa: S311 - jitter, not a secret
                elif lacks_table(error):
                    raise SchemaError(NO_TABLES) from error
                elif _is_outage(error):
                    raise StoreError(_reason(error, self.url)) from error
                else:
                    raise
        raise AssertionError("unreachable: the last try returns or raises")


def is_transient(error: DBAPIError) -> bool:
    """Whether the same transaction may well succeed when it is run again."""
    if error.connection_invalidated:
        return True
    if is_locked(error) or getattr(error.orig, "sqlstate", None) in _SQLSTATE_TRANSIENT:
        return True
    return _mysql_number(error) in _MYSQL_TRANSIENT


def is_stale(error: DBAPIError) -> bool:
    """Whether a row was changed after this transaction's snapshot, and a SAVEPOINT saves the rest.

    None does on MariaDB, whose deadlock has the same SQLSTATE: there the whole transaction is undone.
    """
    is_mysql = isinstance(_mysql_number(error), int)
    return not is_mysql and getattr(error.orig, "sqlstate", None) == _SQLSTATE_STALE


def lacks_table(error: DBAPIError) -> bool:
    """Whether a statement named a table that the database does not have."""
    is_sqlite = str(error.orig).startswith("no such table")
    is_postgres = getattr(error.orig, "sqlstate", None) == _SQLSTATE_NO_TABLE
    return is_sqlite or is_postgres or _mysql_number(error) == _MYSQL_NO_TABLE


def _is_outage(error: DBAPIError) -> bool:
    if error.connection_invalidated or _is_read_only(error):
        return True
    is_operational = isinstance(error, OperationalError | InterfaceError)
    return is_operational and _mysql_number(error) not in _MYSQL_CHECK_VIOLATED


def _is_read_only(error: DBAPIError) -> bool:
    is_postgres = getattr(error.orig, "sqlstate", None) == _SQLSTATE_READ_ONLY
    return is_postgres or _mysql_number(error) in _MYSQL_READ_ONLY


def _mysql_number(error: DBAPIError) -> object:
    arguments: Sequence[object] = getattr(error.orig, "args", ())
    return arguments[0] if arguments else None


def insert_if_absent(connection: Connection, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
    """Insert ``rows``, leaving alone those that a unique constraint already knows."""
    if not rows:
        return
    backend = connection.dialect.name
    statement: Any
    if backend == "postgresql":
        statement = postgresql.insert(table).on_conflict_do_nothing()
    elif backend == "sqlite":
        statement = sqlite.insert(table).on_conflict_do_nothing()
    else:
        key = next(iter(table.primary_key.columns))
        statement = mysql.insert(table).on_duplicate_key_update({key.name: key})
    connection.execute(statement, list(rows))


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
    """Insert ``rows``, all or none."""
    if rows:
        connection.execute(insert(table), list(rows))


@contextmanager
def savepoint(connection: Connection) -> Iterator[None]:
    """Undo what the body did where it raises, and only that; the transaction around it goes on."""
    nested = connection.begin_nested()
    try:
        yield
    # Whatever ends the body, a signal too, undoes it.
    except BaseException as error:
        _undo(nested, error)
        raise
    nested.commit()


def _undo(nested: NestedTransaction, error: BaseException) -> None:
    try:
        nested.rollback()
    except DBAPIError as gone:
        # MariaDB answers a deadlock by undoing the whole transaction, SAVEPOINTs too: tell that, not this.
        if isinstance(error, DBAPIError) and is_transient(error):
            raise error from gone
        raise


@contextmanager
def migration_lock(connection: Connection) -> Iterator[None]:
    """Let one process at a time change the schema, until what it wrote is committed.

    Raises:
        StoreError: Another process keeps the lock for long.
    """
    backend = connection.dialect.name
    if backend == "sqlite":
        yield  # Its write transaction does so by itself.
        return
    if backend == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_NUMBER})
        yield
        return
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


def _reason(error: DBAPIError, url: URL) -> str:
    reason = str(error.orig).strip().replace("\n", " ")
    if reason == _SQLITE_LOCKED:
        return f"{reason} by another connection; in a transaction of your own, pass session="
    if reason == _SQLITE_CANNOT_OPEN:
        return f"{reason}: {url.database}"
    return reason
