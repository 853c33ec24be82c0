"""SQLite, whose writers share one lock."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, Table, delete, event, false
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.sql.dml import Insert

from tickerq_celery.deferred import Deferred
from tickerq_celery.errors import ConfigError
from tickerq_celery.store.database.dialects.dialect import READING, Dialect
from tickerq_celery.store.tables import meta
from tickerq_celery.tickers.settings_report import TableSize

if TYPE_CHECKING:
    from sqlalchemy.dialects.sqlite import insert
else:
    # With it comes all of SQLAlchemy's dialect, which processes of other stores do not need.
    insert = Deferred("sqlalchemy.dialects.sqlite", "insert")

_BUSY_TIMEOUT_MS = 10_000
# Python handles no signal while SQLite waits for a lock.
_BUSY_SLICE_MS = 250
_BUSY_CODES = {5, 6}
_INTERRUPTED = 9
# Of SQLite's machine, some milliseconds: between two Python is asked whether there is time left.
_STEPS = 50_000
_LOCKED = "database is locked"
_CANNOT_OPEN = "unable to open database file"


class SQLite(Dialect):
    """SQLite, in a file.

    By itself it refuses a transaction that has read and then wants to write while others write: each begins
    as a writer that waits for the lock, unless it only reads.
    """

    isolation_level = None
    autocommits = False  # a trip costs nothing
    takes_limits_in_unions = False

    def resolved(self, url: URL, folder: Path) -> URL:
        is_in_memory = url.database == ":memory:" or "mode=memory" in url.render_as_string()
        if not url.database or is_in_memory:
            raise ConfigError("store_url", "an in-memory database cannot be shared by processes: name a file")
        return url.set(database=str((folder / url.database).resolve()))

    def file_of(self, url: URL) -> Path | None:
        return Path(url.database) if url.database else None

    def connect_args(self, url: URL) -> dict[str, object]:
        return {"timeout": _BUSY_TIMEOUT_MS / 1000, "check_same_thread": False}

    def prepare(self, engine: Engine) -> None:
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", _begin)

    def begin_writing(self, connection: Connection) -> None:
        # Python's driver begins before the first write only, and SQLite commits at the end of a SAVEPOINT
        # that no transaction surrounds: the caller's rollback would come too late.
        if _driver_of(connection).in_transaction:
            connection.execute(delete(meta).where(false()))
        else:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    def begin_reading(self, connection: Connection, seconds: float) -> None:
        _set_busy_timeout(connection, max(1, round(seconds * 1000)))
        connection.exec_driver_sql("PRAGMA query_only=ON")

    def limited(self, connection: Connection, statement: str, seconds: float) -> str:
        until = time.monotonic() + seconds
        _driver_of(connection).set_progress_handler(lambda: time.monotonic() > until, _STEPS)
        return statement

    def end_reading(self, connection: Connection) -> None:
        if not connection.invalidated:
            _driver_of(connection).set_progress_handler(None, 0)

    def took_too_long(self, error: DBAPIError) -> bool:
        return _code(error) == _INTERRUPTED

    @contextmanager
    def migration_lock(self, connection: Connection) -> Iterator[None]:
        yield  # Its write transaction does so by itself.

    def insert_if_absent(self, table: Table) -> Insert:
        return insert(table).on_conflict_do_nothing()

    def reason(self, error: DBAPIError, url: URL) -> str:
        reason = super().reason(error, url)
        if reason == _LOCKED:
            return f"{reason} by another connection; in a transaction of your own, pass session="
        return f"{reason}: {url.database}" if reason == _CANNOT_OPEN else reason

    def is_locked(self, error: DBAPIError) -> bool:
        return _is_locked(error)

    def table_sizes(self, connection: Connection, names: Sequence[str]) -> list[TableSize]:
        # Both ends of a table are found at once. It knows no bytes: all tables share the file's pages.
        parts = (
            f"SELECT '{name}', (SELECT max(rowid) FROM {name}) - (SELECT min(rowid) FROM {name}) + 1"  # noqa: S608  # names of tables
            for name in names
        )
        rows = connection.exec_driver_sql(" UNION ALL ".join(parts))
        return [TableSize(name=name, rows=count or 0, bytes=None) for name, count in rows]

    def is_transient(self, error: DBAPIError) -> bool:
        return _is_locked(error)

    def lacks_table(self, error: DBAPIError) -> bool:
        return str(error.orig).startswith("no such table")


def _prepare(connection: Any, record: object) -> None:
    # SQLAlchemy's begin event sends BEGIN itself: the driver must not send one of its own.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout={_BUSY_TIMEOUT_MS}",
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    if connection.get_execution_options().get(READING):
        connection.exec_driver_sql("BEGIN")
        return
    deadline = time.monotonic() + _BUSY_TIMEOUT_MS / 1000
    _set_busy_timeout(connection, _BUSY_SLICE_MS)
    try:
        while not _has_lock(connection, deadline):
            pass
    finally:
        _set_busy_timeout(connection, _BUSY_TIMEOUT_MS)


def _set_busy_timeout(connection: Connection, milliseconds: int) -> None:
    cursor = connection.connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={milliseconds}")
    cursor.close()


def _has_lock(connection: Connection, deadline: float) -> bool:
    # A transaction that reads first and writes later cannot wait for a lock; one that will write says so.
    try:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    except OperationalError as error:
        if not _is_locked(error) or time.monotonic() >= deadline:
            raise
        return False
    return True


def _is_locked(error: DBAPIError) -> bool:
    return _code(error) in _BUSY_CODES


def _code(error: DBAPIError) -> int | None:
    code = getattr(error.orig, "sqlite_errorcode", None)
    return code & 0xFF if isinstance(code, int) else None


def _driver_of(connection: Connection) -> Any:
    return connection.connection.driver_connection
