"""What the store asks of each database that it supports."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.dml import Insert

# The execution option of a transaction that writes nothing.
READING = "tickerq_reading"
# In seconds.
CONNECT_TIMEOUT = 5
ANSWER_TIMEOUT = 30


class Dialect(ABC):
    """How a database is connected to, locked and written, and what the errors of its drivers mean."""

    isolation_level: str | None = "READ COMMITTED"
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

    def begin_writing(self, connection: Connection) -> None:  # noqa: B027 - most need nothing
        """Make a transaction a writer before it reads.

        Raises:
            OperationalError: Another connection writes, and this one has read already, or waited in vain.
        """

    @abstractmethod
    def migration_lock(self, connection: Connection) -> AbstractContextManager[None]:
        """Let one process at a time change the schema, until what it wrote is committed."""

    @abstractmethod
    def insert_if_absent(self, table: Table) -> Insert:
        """Return an insert that leaves alone the rows that a unique constraint already knows."""

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
