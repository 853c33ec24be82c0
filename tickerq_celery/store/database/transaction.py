"""An open transaction of the store, with all that its statements have in common."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cached_property

from sqlalchemy import ColumnElement, Connection, NestedTransaction, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.dml import Update

from tickerq_celery.clock import Clock
from tickerq_celery.store.database.errors import is_transient
from tickerq_celery.store.tables.column_types import sql_after, sql_now


class Transaction:
    """A connection inside a transaction, the clock of its statements, and the namespace they work in."""

    def __init__(self, connection: Connection, clock: Clock, namespace: str) -> None:
        self.connection = connection
        self.clock = clock
        self.namespace = namespace
        self.execute = connection.execute
        self.scalar = connection.scalar
        self.scalars = connection.scalars

    @cached_property
    def now(self) -> datetime:
        """The database's time, read once for the whole transaction; a statement that tells it may set it."""
        return self.scalars(select(self.sql_now())).one()

    def sql_now(self) -> ColumnElement[datetime]:
        """Return an expression for the moment of the statement."""
        return sql_now(self.clock)

    def sql_after(self, wait: timedelta) -> ColumnElement[datetime]:
        """Return an expression for the moment ``wait`` after that of the statement, or before it."""
        return sql_after(self.clock, wait)

    def within(self, namespace: str) -> "Transaction":
        """Return the same transaction for statements about another namespace."""
        return Transaction(self.connection, self.clock, namespace)


def rowcount(tx: Transaction, statement: Update) -> int:
    """Return how many rows an update matched."""
    return tx.execute(statement).rowcount


@contextmanager
def savepoint(tx: Transaction) -> Iterator[None]:
    """Undo what the body did where it raises, and only that; the transaction around it goes on."""
    nested = tx.connection.begin_nested()
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
        # MariaDB answers a deadlock by undoing the whole transaction, SAVEPOINTs too: raise that, not this.
        if isinstance(error, DBAPIError) and is_transient(error):
            raise error from gone
        raise
