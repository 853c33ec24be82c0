"""Reads of a limited time, on connections of their own."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DBAPIError

from tickerq_celery.errors import QueryTooWideError
from tickerq_celery.store.database.database import Database
from tickerq_celery.store.database.dialects import dialect_of
from tickerq_celery.store.database.dialects.dialect import READ_BUDGET

T = TypeVar("T")
X = TypeVar("X")


class ReadBudget:
    """How many seconds each statement of a read may take, and until when all of them must end."""

    def __init__(self, *, statement: float, until: float) -> None:
        self.statement = statement
        self._until = until

    def left(self) -> float:
        """Return how many seconds the next statement has.

        Raises:
            QueryTooWideError: None are left.
        """
        left = min(self.statement, self._until - time.monotonic())
        if left <= 0:
            raise QueryTooWideError(self.statement)
        return left


class ReadDatabase(Database):
    """The store on a few connections that only read, never shared with writes.

    The database itself ends a statement that takes too long, also one that waits for a lock.
    """

    def __init__(self, database: Database, *, connections: int) -> None:
        super().__init__(database.url, options=_options(database.options, connections))

    def read_within(
        self,
        budget: ReadBudget,
        begin: Callable[[Connection], X],
        work: Callable[..., T],
        args: tuple[object, ...],
        kwargs: Mapping[str, object],
    ) -> T:
        """Run ``work`` with what ``begin`` makes of a connection in a transaction that can only read.

        Raises:
            QueryTooWideError: A statement, or all of them, took too long.
            StoreError: The database cannot be reached, or refused every try.
        """

        def bounded(connection: Connection) -> T:
            with _limited(connection, budget):
                return work(begin(connection), *args, **kwargs)

        # Before a connection is taken: those that other reads left no time end at once, however many.
        budget.left()
        return self.read(bounded)

    def _new_engine(self) -> Engine:
        engine = super()._new_engine()
        event.listen(engine, "before_cursor_execute", _limit, retval=True)
        return engine


@contextmanager
def _limited(connection: Connection, budget: ReadBudget) -> Iterator[None]:
    dialect = dialect_of(connection.dialect.name)
    try:
        dialect.begin_reading(connection, budget.left())
        connection.execution_options(**{READ_BUDGET: budget})
        yield
    except DBAPIError as error:
        if dialect.took_too_long(error):
            raise QueryTooWideError(budget.statement) from error
        raise
    finally:
        dialect.end_reading(connection)


def _limit(
    connection: Connection, cursor: object, statement: str, parameters: Any, context: Any, executemany: bool
) -> tuple[str, Any]:
    budget: ReadBudget | None = context.execution_options.get(READ_BUDGET)
    if budget is not None:
        statement = dialect_of(connection.dialect.name).limited(connection, statement, budget.left())
    return statement, parameters


def _options(options: Mapping[str, object], connections: int) -> Mapping[str, object]:
    """Return the options of an engine without the sizes of its pool, which are those of writes."""
    own = {name: value for name, value in options.items() if name not in {"pool", "max_overflow"}}
    # Another kind of pool may know no size; there are no more threads than connections.
    return own if "poolclass" in own else {**own, "pool_size": connections, "max_overflow": 0}
