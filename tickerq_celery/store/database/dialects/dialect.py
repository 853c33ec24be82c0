"""What the store asks of each database that it supports."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Engine, Table, bindparam, insert, literal, tuple_, update
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.dml import Insert

from tickerq_celery.store.database.dialects.row_values import RowValues
from tickerq_celery.tickers.settings_report import TableSize

# The execution option of a transaction that writes nothing.
READING = "tickerq_reading"
# That of statements whose time is limited: what says how much of it is left.
READ_BUDGET = "tickerq_read_budget"
# In seconds.
CONNECT_TIMEOUT = 5
ANSWER_TIMEOUT = 30


class Dialect(ABC):
    """How a database is connected to, locked and written, and what the errors of its drivers mean."""

    isolation_level: str | None = "READ COMMITTED"
    # Whether it leaves the index of an equal column for one of the order alone, where it expects that enough
    # rows have the value: it counts on them to be spread evenly.
    leaves_index_of_equal = False
    # Whether an index may hold some of a table's rows only.
    has_partial_indexes = True
    # Whether a subquery of a join may name what stands before it: LATERAL.
    has_lateral = False
    # Whether a part of a union may have a LIMIT of its own.
    takes_limits_in_unions = True
    # Whether an INSERT may read what an UPDATE in its WITH has written.
    has_writing_ctes = False
    # Whether a write that is a statement alone asks the server for less if it commits itself.
    autocommits = True
    # Whether its driver asks the server to roll back where there is no transaction to end.
    asks_for_needless_rollbacks = False
    # How its URLs begin with the driver that the extra of its name installs; None where Python brings it.
    url_start: str | None = None
    # The driver's arguments that bound the wait for a statement's answer.
    answer_arguments: Collection[str] = ()

    def resolved(self, url: URL, folder: Path) -> URL:
        """Return the URL with a path of a file made absolute under ``folder``.

        Raises:
            ConfigError: Several processes cannot share this database.
        """
        return url

    def file_of(self, url: URL) -> Path | None:
        """Return the file that holds the database, or None for a server's."""
        return None

    @abstractmethod
    def connect_args(self, url: URL) -> dict[str, object]:
        """Return the arguments of the driver that bound each wait for the database."""

    def prepare(self, engine: Engine) -> None:  # noqa: B027 - most need nothing
        """Let an engine's transactions begin as this database needs it."""

    def keep_statements(self, engine: Engine, given: Collection[str]) -> None:  # noqa: B027 - most cannot
        """Let the server keep the plans of the few statements that an engine sends all the time.

        ``given`` names the driver's arguments that the user has set.
        """

    def begin_writing(self, connection: Connection) -> None:  # noqa: B027 - most need nothing
        """Make a transaction a writer before it reads.

        Raises:
            OperationalError: Another connection writes, and this one has read already, or waited in vain.
        """

    @contextmanager
    def sorting_nothing(self, connection: Connection) -> Iterator[None]:
        """Let statements read ordered rows by an index of that order, and sort nothing."""
        yield

    @abstractmethod
    def begin_reading(self, connection: Connection, seconds: float) -> None:
        """Let a transaction write nothing, and none of its statements take longer than ``seconds``.

        It holds until the transaction ends, and for no other one that a pooler lends the connection to.
        """

    @abstractmethod
    def limited(self, connection: Connection, statement: str, seconds: float) -> str:
        """Return a statement of such a transaction as one that takes no longer than ``seconds``."""

    def end_reading(self, connection: Connection) -> None:  # noqa: B027 - most need nothing
        """Take from a connection what the end of its transaction does not take."""

    @abstractmethod
    def took_too_long(self, error: DBAPIError) -> bool:
        """Whether the database ended a statement for the time that it took."""

    @abstractmethod
    def migration_lock(self, connection: Connection) -> AbstractContextManager[None]:
        """Let one process at a time change the schema, until what it wrote is committed."""

    @abstractmethod
    def insert_if_absent(self, table: Table) -> Insert:
        """Return an insert that leaves alone the rows that a unique constraint already knows."""

    def among(self, column: ColumnElement[Any], values: Sequence[object]) -> ColumnElement[bool]:
        """Return what is true of the rows whose column has one of these values."""
        return column.in_(values)

    def insert_many(self, connection: Connection, table: Table, values: RowValues) -> None:
        """Insert rows that have values of their own."""
        rows = zip(*values.own.values(), strict=True)
        connection.execute(
            insert(table), [dict(zip(values.own, row, strict=True), **values.common) for row in rows]
        )

    def update_many(
        self,
        connection: Connection,
        table: Table,
        ids: Sequence[UUID],
        values: RowValues,
        conditions: Sequence[ColumnElement[bool]],
    ) -> int:
        """Write values into the rows of ``ids``, which stand in the order of the values.

        Returns how many rows met the conditions and were written.
        """
        statement = (
            update(table)
            .where(table.c.id == bindparam("given_id"), *conditions)
            .values({name: bindparam(f"given_{name}") for name in values.own} | values.common_literals(table))
        )
        names = ["given_id", *(f"given_{name}" for name in values.own)]
        rows = zip(ids, *values.own.values(), strict=True)
        written = connection.execute(statement, [dict(zip(names, row, strict=True)) for row in rows])
        return written.rowcount

    def index_hint(self, index: str) -> str | None:
        """Return what binds a SELECT to an index of its table; None where its own choice is led otherwise."""
        return None

    def beyond(
        self,
        columns: Sequence[ColumnElement[Any]],
        key: Sequence[object],
        *,
        is_descending: bool,
        is_inclusive: bool,
    ) -> ColumnElement[bool]:
        """Return what is true of the rows beyond a key in the order of the ``columns``, or also at it."""
        values = tuple_(*(literal(value, column.type) for column, value in zip(columns, key, strict=True)))
        row = tuple_(*columns)
        if is_descending:
            return row <= values if is_inclusive else row < values
        return row >= values if is_inclusive else row > values

    def reason(self, error: DBAPIError, url: URL) -> str:
        """Return what an error says, in one line."""
        return str(error.orig).strip().replace("\n", " ")

    def is_locked(self, error: DBAPIError) -> bool:
        """Whether a connection waited in vain for the lock that all writers of a database share."""
        return False

    @abstractmethod
    def is_transient(self, error: DBAPIError) -> bool:
        """Whether the same transaction may well succeed when it is run again."""

    def is_stale(self, error: DBAPIError) -> bool:
        """Whether a row was changed after this transaction's snapshot, and a SAVEPOINT saves the rest."""
        return False

    @abstractmethod
    def lacks_table(self, error: DBAPIError) -> bool:
        """Whether a statement named a table that the database does not have."""

    def is_read_only(self, error: DBAPIError) -> bool:
        """Whether the server takes no writes: it was the first of several a moment ago, or is being moved."""
        return False

    @abstractmethod
    def table_sizes(self, connection: Connection, names: Sequence[str]) -> list[TableSize]:
        """Return how large tables are, by what the database knows of them without reading their rows."""

    def encoding_flaw(self, connection: Connection) -> str | None:
        """Return why some text could not be stored or read on this connection, or None."""
        return None

    def refused_column(self, error: DBAPIError) -> str | None:
        """Return the column whose value was refused for what it holds, or None where that is not known."""
        return None

    def is_violation(self, error: DBAPIError) -> bool:
        """Whether a row broke a constraint, though the driver says OperationalError, as of an outage."""
        return False


def sqlstate(error: DBAPIError) -> object:
    """Return the SQLSTATE of a driver's error, or None."""
    return getattr(error.orig, "sqlstate", None)


def first_argument(error: DBAPIError) -> Any:
    """Return a driver's first word for an error, or None."""
    arguments: Sequence[object] = getattr(error.orig, "args", ())
    return arguments[0] if arguments else None
