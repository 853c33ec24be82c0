"""The store's transactions, and the only retry of a whole one."""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TypeVar

from sqlalchemy import Connection, Engine, Transaction
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoFreeConnectionError

from tickerq_celery.errors import SchemaError, StoreError
from tickerq_celery.store.database.allowed_stores import refuse_unallowed
from tickerq_celery.store.database.connections import autocommitting, make_engine
from tickerq_celery.store.database.dialects import Dialect, dialect_of
from tickerq_celery.store.database.dialects.dialect import READING
from tickerq_celery.store.database.engines import Engines
from tickerq_celery.store.database.errors import (
    LostAnswerError,
    is_outage,
    is_transient,
    lacks_table,
    no_tables,
    outage,
)
from tickerq_celery.store.database.refusals import translated_refusals
from tickerq_celery.store.database.urls import database_file, shown_store

T = TypeVar("T")
X = TypeVar("X")


class Database:
    """The store's connections in this process.

    ``work`` functions get a connection inside a transaction and must be repeatable: a transaction that
    the database refused for a passing reason is run again, up to ``retries`` times.

    Unless it ``is_for_tests``, a test-suite that does not allow the store cannot write to it.
    """

    # Whether other connections see what this one's transactions wrote.
    may_have_readers = True

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
        self.options = dict(options or {})
        self._retries = retries
        self._pooled = pooled
        self._is_bounded = is_bounded
        # Whether this version can work with its tables: looked at once, by who writes first.
        self.is_verified = False
        self._engines = Engines(self._open, self._open_autocommitting)

    @property
    def shown(self) -> str:
        """The store's address without passwords."""
        return shown_store(self.url)

    @property
    def dialect(self) -> Dialect:
        """What this database does otherwise than others."""
        return dialect_of(self.url.get_backend_name())

    @property
    def autocommits(self) -> bool:
        """Whether a statement that is alone takes fewer round trips than in a transaction."""
        return self.dialect.autocommits

    @property
    def returns_alone(self) -> bool:
        """Whether such a statement may be an UPDATE that returns its rows."""
        return self.autocommits and self.engine.dialect.update_returning

    @property
    def engine(self) -> Engine:
        """This process's engine."""
        return self._engines.usual

    @property
    def autocommitting_engine(self) -> Engine:
        """This process's engine whose every statement commits itself."""
        return self._engines.autocommitting

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
        is_alone: bool = False,
        connected: Callable[[], object] = lambda: None,
    ) -> T:
        """Run ``work`` with what ``begin`` makes of a connection in a transaction, and commit.

        Where it ``is_alone`` each of its statements commits itself: only the last that it sends may write.
        ``connected`` is called in each try as soon as there is a connection for its transaction.

        Raises:
            LostAnswerError: The connection was lost, so that whether it was written is unknown.
            StoreError: The database cannot be reached, or refused every try: nothing is written.
            RefusedValueError: It refused a value for what that holds.
            ConfigError: It is not ``reading``, in a test-suite that does not allow this store.
        """
        if not reading:
            self.refuse_unallowed_write()
        for attempt in range(self._retries + 1):
            with self._repeated_if_transient(attempt):
                if is_alone:
                    return self._autocommit(begin, work, args, kwargs)
                return self._transact(begin, work, args, kwargs, reading=reading, connected=connected)
        raise AssertionError("unreachable: the last try returns or raises")

    @contextmanager
    def _repeated_if_transient(self, attempt: int) -> Iterator[None]:
        """Wait where another try is worth it, else raise what the block raised as an error of the store."""
        try:
            with translated_refusals():
                yield
        except NoFreeConnectionError as error:
            raise StoreError(str(error.args[0])) from error
        except DBAPIError as error:
            if is_transient(error) and attempt < self._retries:
                time.sleep(random.uniform(0, 0.05 * 2**attempt))  # noqa: S311 - jitter, not a secret
            elif lacks_table(error):
                raise SchemaError(no_tables(self.shown)) from error
            elif is_outage(error):
                raise outage(error, self._reason(error)) from error
            else:
                raise

    def unpooled(self, *, is_bounded: bool = True) -> "Database":
        """Return the same store on connections that are opened for each transaction: no fork inherits one.

        For a migration they are not bounded: they wait for an answer as long as it takes, and make the file
        of a SQLite store.
        """
        return Database(
            self.url,
            options=self.options,
            retries=self._retries,
            pooled=False,
            is_bounded=is_bounded,
            is_for_tests=self._is_for_tests,
        )

    def apart(self) -> "Database":
        """Return the same store on connections of its own, kept open: no other part waits for one of them."""
        return Database(
            self.url, options=self.options, retries=self._retries, is_for_tests=self._is_for_tests
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
        self._engines.close()

    def _open(self) -> Engine:
        engine = self._new_engine()
        self._refuse_missing_file()
        return engine

    def _open_autocommitting(self, usual: Engine) -> Engine:
        return autocommitting(usual, self.url, self.options, pooled=self._pooled)

    def _new_engine(self) -> Engine:
        return make_engine(self.url, self.options, pooled=self._pooled, is_bounded=self._is_bounded)

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
        connected: Callable[[], object],
    ) -> T:
        with self.engine.connect() as connection:
            connected()
            connection.execution_options(**{READING: reading})
            transaction = connection.begin()
            try:
                result = work(begin(connection), *args, **kwargs)
            # Whatever ends the work, a signal too, must not leave the transaction open.
            except BaseException:
                # What ended the work is raised; giving up the connection rolls back as well.
                with suppress(DBAPIError), _kept_if_ended(connection):
                    transaction.rollback()
                raise
            with self._answer_may_be_lost(), _kept_if_ended(connection):
                transaction.commit()
            return result

    def _autocommit(
        self,
        begin: Callable[[Connection], X],
        work: Callable[..., T],
        args: tuple[object, ...],
        kwargs: Mapping[str, object],
    ) -> T:
        with self.autocommitting_engine.connect() as connection, self._answer_may_be_lost():
            try:
                return work(begin(connection), *args, **kwargs)
            except BaseException as error:
                # A signal's handler may have raised: the pool must not lend what is to be answered still.
                if not isinstance(error, DBAPIError):
                    connection.invalidate()
                raise

    @contextmanager
    def _answer_may_be_lost(self) -> Iterator[None]:
        """Raise what is no reason to repeat the block where its connection is lost."""
        try:
            yield
        except DBAPIError as error:
            # Whether it was written is unknown: a repeat might do the work twice.
            if error.connection_invalidated:
                raise LostAnswerError(self._reason(error)) from error
            raise

    def _reason(self, error: DBAPIError) -> str:
        return self.dialect.reason(error, self.url)


@contextmanager
def _kept_if_ended(connection: Connection) -> Iterator[None]:
    """Give up a connection whose transaction may be open still, so that the pool lends it to nothing else."""
    try:
        yield
    # Whatever ends the block, a signal too, leaves the transaction in doubt.
    except BaseException:
        connection.invalidate()
        raise


def _itself(connection: Connection) -> Connection:
    return connection
