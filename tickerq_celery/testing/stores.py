"""The stores of tests: a SQLite file of their own, the user's own test database, or a transaction in it."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from sqlalchemy import Connection, Engine, Transaction, delete, event, inspect
from sqlalchemy.engine import URL

from tickerq_celery.clock import SystemClock
from tickerq_celery.errors import SchemaError, TickerValidationError
from tickerq_celery.runtime.core import Core
from tickerq_celery.store.database.connections import begin_writing
from tickerq_celery.store.database.database import Database
from tickerq_celery.store.database.schema import migrate, verify
from tickerq_celery.store.database.urls import resolved_url, shown_store
from tickerq_celery.store.tables import meta, metadata

T = TypeVar("T")
X = TypeVar("X")
_FILE = "tickerq.db"


class FileDatabase(Database):
    """A SQLite file that no crash has to survive, so that a commit costs no wait for the disk."""

    def _new_engine(self) -> Engine:
        engine = super()._new_engine()
        event.listen(engine, "connect", _wait_for_no_disk)
        return engine


class JoinedDatabase(Database):
    """The store in a transaction that the user holds open and rolls back: what it commits are SAVEPOINTs."""

    may_have_readers = False
    # The transaction is the user's.
    autocommits = False

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection.engine.url, is_for_tests=True)
        self._connection = connection
        # The event loop's threads use it, too.
        self._one_at_a_time = threading.RLock()

    @property
    def engine(self) -> Engine:
        """The user's own."""
        return self._connection.engine

    def transaction_of(self, connection: Connection) -> Transaction | None:
        """Return the SAVEPOINT of the user's session, as the transaction around it is the test's.

        Raises:
            TickerValidationError: The session is on another connection, so what it writes would stay.
        """
        if connection is not self._connection:
            reason = "it is on another connection than tickerq_connection, whose transaction has the store"
            raise TickerValidationError("session", connection, reason)
        return connection.get_nested_transaction()

    def close(self) -> None:
        """Leave the connection alone, as it is the user's."""

    def _transact(
        self,
        begin: Callable[[Connection], X],
        work: Callable[..., T],
        args: tuple[object, ...],
        kwargs: Mapping[str, object],
        *,
        reading: bool,
        connected: Callable[[], object],
    ) -> T:
        connected()
        with self._one_at_a_time:
            # On SQLite a SAVEPOINT that no transaction surrounds would be committed for good.
            begin_writing(self._connection)
            with self._connection.begin_nested():
                return work(begin(self._connection), *args, **kwargs)


def file_store(folder: Path, *, retries: int) -> Database:
    """Return a new store in a folder; its tables are copied."""
    file = folder / _FILE
    file.write_bytes(_template())
    return FileDatabase(_url_of(file), retries=retries, is_for_tests=True)


def users_store(url: str, options: Mapping[str, object], *, retries: int) -> Database:
    """Return the store in the user's own test database; where it has no tables of ours, they are made.

    Raises:
        ConfigError: The URL cannot be used.
        StoreError: The database cannot be reached.
        SchemaError: Its tables are those of another version.
    """
    create_schema(url)
    return Database(resolved_url(url, Path.cwd()), options=options, retries=retries, is_for_tests=True)


def joined_store(connection: Connection) -> Database:
    """Return the store in the open transaction of a connection.

    Raises:
        SchemaError: It has no tables, or those of another version.
    """
    if not inspect(connection).has_table(meta.name):
        # Made here they would end the transaction on some databases, and wait for it for ever on others.
        raise SchemaError(
            f"{shown_store(connection.engine.url)} has no tables of the store: call "
            "tickerq_celery.testing.create_schema(engine.url) before the transaction begins"
        )
    found = JoinedDatabase(connection)
    verify(found)
    return found


def create_schema(url: URL | str) -> None:
    """Make the store's tables in a test database, or migrate them.

    Raises:
        ConfigError: The URL cannot be used.
        StoreError: The database cannot be reached.
        SchemaError: Its tables are those of another version.
    """
    text = url if isinstance(url, str) else url.render_as_string(hide_password=False)
    _migrate_once(resolved_url(text, Path.cwd()))


def remove_namespace(core: Core) -> None:
    """Delete what a test has left in the user's database, in a namespace of its own."""

    def remove(connection: Connection) -> None:
        for table in reversed(metadata.sorted_tables):
            if "namespace" in table.columns:
                connection.execute(delete(table).where(table.c.namespace == core.config.namespace))

    core.database.write(remove)


def with_own_namespace(core: Core) -> Core:
    """Return a core whose namespace is this test's alone, in a database that tests share."""
    own = f"{core.config.namespace[:60]}-test-{core.node.id.hex}"
    return replace(core, config=replace(core.config, namespace=own))


@cache
def _migrate_once(url: URL) -> None:
    migrate(Database(url, is_for_tests=True), SystemClock())


@cache
def _template() -> bytes:
    """Return a SQLite store with empty tables; made once, as that takes some tenths of a second."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / _FILE
        migrate(Database(_url_of(file), is_for_tests=True), SystemClock())
        return file.read_bytes()


def _url_of(file: Path) -> URL:
    return resolved_url(f"sqlite:///{file}", file.parent)


def _wait_for_no_disk(connection: object, record: object) -> None:
    cursor = connection.cursor()  # type: ignore[attr-defined]  # a driver's connection
    cursor.execute("PRAGMA synchronous=OFF")
    cursor.close()
