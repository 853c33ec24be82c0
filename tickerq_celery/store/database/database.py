"""The store's transactions, and the only retry of a whole one."""

import os
import random
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine, Transaction
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as NoFreeConnectionError

from tickerq_celery.errors import ConfigError, SchemaError, StoreError
from tickerq_celery.store.database.allowed_stores import refuse_unallowed
from tickerq_celery.store.database.connections import make_engine
from tickerq_celery.store.database.dialects import dialect_of
from tickerq_celery.store.database.dialects.base import READING
from tickerq_celery.store.database.errors import is_outage, is_transient, lacks_table, no_tables
from tickerq_celery.store.database.refusals import translated_refusals
from tickerq_celery.store.database.urls import parsed_url, shown_store

T = TypeVar("T")
X = TypeVar("X")


def resolved_url(url: str, folder: Path) -> URL:
    """Return the store's URL with a SQLite path made absolute under ``folder``.

    Raises:
        ConfigError: The URL cannot be read, names an unsupported database, or an in-memory one.
    """
    try:
        parsed = parsed_url(url)
    except (ArgumentError, ValueError):
        # Not shown, nor the error that may quote it: where it ends and a password begins is unknown.
        raise ConfigError("store_url", "not a database URL") from None
    return dialect_of(parsed.get_backend_name()).resolved(parsed, folder)


def database_file(url: URL) -> Path | None:
    """Return the file of a SQLite store, or None for a server's."""
    return dialect_of(url.get_backend_name()).file_of(url)


class Database:
    """The store's connections in this process: made when first used, made anew after a fork.

    ``work`` functions get a connection inside a transaction and must be repeatable: a transaction that
    the database refused for a passing reason is run again, up to ``retries`` times.

    Unless it ``is_for_tests``, a test-suite that does not allow the store cannot write to it.
    """

    def __init__(
        self,
        url: URL,
        *,
        options: Mapping[str, object] | None = None,
        retries: int = 3,
        pooled: bool = True,
        is_bounded: bool = True,
        is_for_tests: bool = False,
    ) -> None:
        self.url = url
        self._is_for_tests = is_for_tests
        self._options = dict(options or {})
        self._retries = retries
        self._pooled = pooled
        self._is_bounded = is_bounded
        self._engine: Engine | None = None
        self._pid = 0
        self._mutex = threading.Lock()
        # Engines made before a fork: kept, since closing their connections here would close the parent's.
        self._inherited: list[Engine] = []

    @property
    def shown(self) -> str:
        """The store's address without passwords."""
        return shown_store(self.url)

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
            RefusedValueError: It refused a value for what that holds.
        """
        return self.run(_itself, work, (), {}, reading=False)

    def read(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` in a transaction that writes nothing, and return what it returned.

        Raises:
            StoreError: The database cannot be reached, or refused every try.
            RefusedValueError: It refused a value for what that holds.
        """
        return self.run(_itself, work, (), {}, reading=True)

    def run(
        self,
        begin: Callable[[Connection], X],
        work: Callable[..., T],
        args: tuple[object, ...],
        kwargs: Mapping[str, object],
        *,
        reading: bool,
    ) -> T:
        """Run ``work`` with what ``begin`` makes of a connection in a transaction, and commit.

        Raises:
            StoreError: The database cannot be reached, or refused every try.
            RefusedValueError: It refused a value for what that holds.
            ConfigError: It is not ``reading``, in a test-suite that does not allow this store.
        """
        if not reading:
            self.refuse_unallowed_write()
        for attempt in range(self._retries + 1):
            try:
                with translated_refusals():
                    return self._transact(begin, work, args, kwargs, reading=reading)
            except NoFreeConnectionError as error:
                raise StoreError(str(error.args[0])) from error
            except DBAPIError as error:
                if is_transient(error) and attempt < self._retries:
                    time.sleep(random.uniform(0, 0.05 * 2**attempt))  # noqa: S311 - jitter, not a secret
                elif lacks_table(error):
                    raise SchemaError(no_tables(self.shown)) from error
                elif is_outage(error):
                    raise StoreError(self._reason(error)) from error
                else:
                    raise
        raise AssertionError("unreachable: the last try returns or raises")

    def unpooled(self, *, is_bounded: bool = True) -> "Database":
        """Return the same store on connections that are opened for each transaction: no fork inherits one.

        For a migration they are not bounded: they wait for an answer as long as it takes, and make the file
        of a SQLite store.
        """
        return Database(
            self.url,
            options=self._options,
            retries=self._retries,
            pooled=False,
            is_bounded=is_bounded,
            is_for_tests=self._is_for_tests,
        )

    def refuse_unallowed_write(self) -> None:
        """Go on unless a test-suite runs that does not allow writing to this store.

        Raises:
            ConfigError: One does.
        """
        if not self._is_for_tests:
            refuse_unallowed(self.url)

    def transaction_of(self, connection: Connection) -> Transaction | None:
        """Return the transaction of a caller's connection whose commit makes what it wrote visible."""
        return connection.get_transaction()

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
                engine = make_engine(
                    self.url, self._options, pooled=self._pooled, is_bounded=self._is_bounded
                )
                self._refuse_missing_file()
                self._engine = engine
                self._pid = os.getpid()

    def _refuse_missing_file(self) -> None:
        """Refuse a SQLite store whose file is not there: the driver would make an empty one."""
        file = database_file(self.url)
        # Of a folder that is missing the driver says so itself.
        if self._is_bounded and file is not None and file.parent.is_dir() and not file.exists():
            raise SchemaError(
                f"{no_tables(self.shown)}. There is no such file: "
                "a relative path counts from the folder in which a process starts"
            )

    def _transact(
        self,
        begin: Callable[[Connection], X],
        work: Callable[..., T],
        args: tuple[object, ...],
        kwargs: Mapping[str, object],
        *,
        reading: bool,
    ) -> T:
        with self.engine.connect() as connection:
            connection.execution_options(**{READING: reading})
            transaction = connection.begin()
            try:
                result = work(begin(connection), *args, **kwargs)
            # Whatever ends the work, a signal too, must not leave the transaction open.
            except BaseException:
                transaction.rollback()
                raise
            try:
                transaction.commit()
            except DBAPIError as error:
                # Whether it was written is unknown: a repeat might do the work twice.
                if error.connection_invalidated:
                    raise StoreError(self._reason(error)) from error
                raise
            return result

    def _reason(self, error: DBAPIError) -> str:
        return dialect_of(self.url.get_backend_name()).reason(error, self.url)


def _itself(connection: Connection) -> Connection:
    return connection
