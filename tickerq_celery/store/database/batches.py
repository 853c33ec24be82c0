"""Inserts and updates of many rows, and lists in parts that fit one statement."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Column, ColumnElement, LargeBinary, Table, Update, insert, update

from tickerq_celery.store.database.dialects import dialect_of
from tickerq_celery.store.database.dialects.row_values import RowValues
from tickerq_celery.store.database.transaction import Transaction, rowcount

AT_ONCE = 500
# Of rows with values of their own; more at once take no less time each.
MOST_ROWS = 1_000
# MariaDB refuses statements of more than 16 MB unless it is set otherwise.
_MOST_BYTES = 4 * 1024 * 1024
_Item = TypeVar("_Item")
_Answer = TypeVar("_Answer")


def insert_if_absent(tx: Transaction, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
    """Insert ``rows``, leaving alone those that a unique constraint already knows."""
    if not rows:
        return
    tx.execute(dialect_of(tx.connection.dialect.name).insert_if_absent(table), list(rows))


def insert_rows(tx: Transaction, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
    """Insert ``rows``, all or none; each has the same columns."""
    if rows:
        insert_columns(tx, table, {name: [row[name] for row in rows] for name in rows[0]})


def insert_columns(tx: Transaction, table: Table, columns: Mapping[str, Sequence[object]]) -> None:
    """Insert rows, all or none, whose values the ``columns`` have in one order.

    A value that all rows have is sent once, and a column in which none has one not at all.
    """
    dialect = dialect_of(tx.connection.dialect.name)
    size = max(map(len, columns.values()))
    for part in _parts(size, table, columns):
        values = RowValues.of(columns, part).without_nulls()
        if values.own:
            dialect.insert_many(tx.connection, table, values)
        else:
            tx.execute(insert(table), [values.common] * (part.stop - part.start))


def among(tx: Transaction, column: ColumnElement[Any], values: Sequence[object]) -> ColumnElement[bool]:
    """Return what is true of the rows whose column has one of these values, which fit one statement."""
    return dialect_of(tx.connection.dialect.name).among(column, values)


def in_parts(items: Sequence[_Item], work: Callable[[Sequence[_Item]], Sequence[_Answer]]) -> list[_Answer]:
    """Do ``work`` on as many items at once as a statement should name; return all that it returned."""
    return [each for first in range(0, len(items), AT_ONCE) for each in work(items[first : first + AT_ONCE])]


def update_columns(
    tx: Transaction,
    table: Table,
    ids: Sequence[UUID],
    columns: Mapping[str, Sequence[object]],
    *conditions: ColumnElement[bool],
) -> int:
    """Write values of their own into the rows of these ``ids`` that meet the ``conditions``.

    The ``columns`` have them in the order of the ids. Returns how many rows were written.
    """
    dialect = dialect_of(tx.connection.dialect.name)
    written = 0
    for part in _parts(len(ids), table, columns):
        values = RowValues.of(columns, part)
        if values.own:
            written += dialect.update_many(tx.connection, table, ids[part], values, conditions)
        else:
            statement = update(table).where(among(tx, table.c.id, ids[part]), *conditions)
            written += rowcount(tx, statement.values(values.common))
    return written


def _parts(size: int, table: Table, columns: Mapping[str, Sequence[object]]) -> Iterator[slice]:
    """Return parts that fit one statement: of so many rows, and of so many bytes of requests at most."""
    payloads: list[Any] = [
        values for name, values in columns.items() if isinstance(table.c[name].type, LargeBinary)
    ]
    if (
        0 < size <= MOST_ROWS
        and sum(len(each) for values in payloads for each in values if each) <= _MOST_BYTES
    ):
        yield slice(0, size)
        return
    first, size_so_far = 0, 0
    for number in range(size):
        own = sum(len(values[number] or b"") for values in payloads)
        if number > first and (number - first == MOST_ROWS or size_so_far + own > _MOST_BYTES):
            yield slice(first, number)
            first, size_so_far = number, 0
        size_so_far += own
    if size:
        yield slice(first, size)


def write_in_parts(tx: Transaction, statement: Update, column: Column[Any], ids: Sequence[UUID]) -> int:
    """Write the rows of ``ids`` that the statement means; return how many they were."""
    return sum(in_parts(ids, lambda part: [rowcount(tx, statement.where(column.in_(part)))]))
