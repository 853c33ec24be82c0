"""How each database is connected to."""

import time
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, delete, event, false
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, NoSuchModuleError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import NullPool

from tickerq_celery.errors import ConfigError
from tickerq_celery.store.tables import meta

# The execution option of a transaction that writes nothing.
READING = "tickerq_reading"
ANSWER_TIMEOUT = 30
_CONNECT_TIMEOUT = 5
_BUSY_TIMEOUT_MS = 10_000
# Python handles no signal while SQLite waits for a lock.
_BUSY_SLICE_MS = 250
_SQLITE_BUSY = {5, 6}
# The kernel gives a silent network up: what was sent and not received, and a peer that is gone.
_POSTGRESQL_ARGS: Mapping[str, object] = {
    "connect_timeout": _CONNECT_TIMEOUT,
    "tcp_user_timeout": ANSWER_TIMEOUT * 1000,
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 4,
}
# psycopg prepares on the server what it sends often. That belongs to the session, and a pooler gives the next
# transaction another one, which does not know the statement, or has another client's by the same name.
_PSYCOPG_ARGS: Mapping[str, object] = {"prepare_threshold": None}
_OPTIONS_OF_A_POOL = {
    "pool",
    "poolclass",
    "pool_size",
    "max_overflow",
    "pool_timeout",
    "pool_recycle",
    "pool_pre_ping",
    "pool_use_lifo",
}


def make_engine(url: URL, options: Mapping[str, object], *, pooled: bool = True) -> Engine:
    """Return an engine with the session rules of its database; ``options`` come before ours.

    Raises:
        ConfigError: The driver is not installed, or an engine option is unknown.
    """
    try:
        engine = create_engine(url, **_engine_settings(url, options, pooled=pooled))
    except (ImportError, NoSuchModuleError) as error:
        raise ConfigError(
            "store_url", f"the driver for {url.drivername} is not installed: {error}"
        ) from error
    except TypeError as error:
        raise ConfigError("store_engine_options", str(error)) from error
    prepare_engine(engine)
    return engine


def prepare_engine(engine: Engine | AsyncEngine) -> None:
    """Let a SQLite engine's transactions begin as writers that wait for it; call it before the first use.

    By itself SQLite refuses a transaction that has read and then wants to write while others write. Engines
    of other databases stay as they are.
    """
    inner = engine.sync_engine if isinstance(engine, AsyncEngine) else engine
    if inner.dialect.name == "sqlite":
        event.listen(inner, "connect", _prepare_sqlite)
        event.listen(inner, "begin", _begin_sqlite)


def begin_writing(connection: Connection) -> None:
    """Make SQLite's transaction a writer before it reads; a server's needs nothing of the kind.

    Python's driver begins before the first write only, and SQLite commits at the end of a SAVEPOINT that no
    transaction surrounds: the caller's rollback would come too late.

    Raises:
        OperationalError: Another connection writes, and this one has read already, or waited in vain.
    """
    if connection.dialect.name != "sqlite":
        return
    driver: Any = connection.connection.driver_connection
    if driver.in_transaction:
        connection.execute(delete(meta).where(false()))
    else:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _engine_settings(url: URL, options: Mapping[str, object], *, pooled: bool) -> dict[str, Any]:
    settings = dict(options)
    arguments = settings.get("connect_args") or {}
    if not isinstance(arguments, Mapping):
        raise ConfigError("store_engine_options", "connect_args must be a mapping")
    ours = {name: value for name, value in _connect_args(url).items() if name not in url.query}
    settings["connect_args"] = {**ours, **arguments}
    if url.get_backend_name() != "sqlite":
        settings.setdefault("isolation_level", "READ COMMITTED")
    if not pooled:
        settings = {name: value for name, value in settings.items() if name not in _OPTIONS_OF_A_POOL}
        settings["poolclass"] = NullPool
    return settings


def _connect_args(url: URL) -> dict[str, object]:
    backend = url.get_backend_name()
    if backend == "sqlite":
        return {"timeout": _BUSY_TIMEOUT_MS / 1000, "check_same_thread": False}
    if backend == "postgresql":
        return {**_POSTGRESQL_ARGS, **(_PSYCOPG_ARGS if url.get_driver_name() == "psycopg" else {})}
    # Beat sets a socket timeout for the whole process: say ours, so that it does not decide.
    return {
        "connect_timeout": _CONNECT_TIMEOUT,
        "read_timeout": ANSWER_TIMEOUT,
        "write_timeout": ANSWER_TIMEOUT,
    }


def _prepare_sqlite(connection: Any, record: object) -> None:
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


def _begin_sqlite(connection: Connection) -> None:
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
        if not is_locked(error) or time.monotonic() >= deadline:
            raise
        return False
    return True


def is_locked(error: DBAPIError) -> bool:
    """Whether SQLite waited in vain for a lock of another connection."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    return isinstance(code, int) and code & 0xFF in _SQLITE_BUSY
