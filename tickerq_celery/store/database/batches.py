"""Inserts of many rows, and lists in parts that fit one statement."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Column, Table, Update, case, insert, literal

from tickerq_celery.store.database.dialects import dialect_of
from tickerq_celery.store.database.transaction import Transaction, rowcount

AT_ONCE = 500
_Item = TypeVar("_Item")
_Answer = TypeVar("_Answer")


def insert_if_absent(tx: Transaction, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
    """Insert ``rows``, leaving alone those that a unique constraint already knows."""
    if not rows:
        return
    tx.execute(dialect_of(tx.connection.dialect.name).insert_if_absent(table), list(rows))


def insert_rows(tx: Transaction, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
    """Insert ``rows``, all or none."""
    if rows:
        tx.execute(insert(table), list(rows))


def in_parts(items: Sequence[_Item], work: Callable[[Sequence[_Item]], Sequence[_Answer]]) -> list[_Answer]:
    """Do ``work`` on as many items at once as a statement should name; return all that it returned."""
    return [each for first in range(0, len(items), AT_ONCE) for each in work(items[first : first + AT_ONCE])]


def value_by_id(id_column: Column[Any], column: Column[Any], values: Mapping[UUID, object]) -> object:
    """Return the value that a column gets in all rows, or an expression for the one of each, by its id."""
    first, *others = values.values()
    if all(each == first for each in others):
        return first
    return case(*((id_column == id_, literal(value, column.type)) for id_, value in values.items()))


def write_in_parts(tx: Transaction, statement: Update, column: Column[Any], ids: Sequence[UUID]) -> int:
    """Write the rows of ``ids`` that the statement means; return how many they were."""
    return sum(in_parts(ids, lambda part: [rowcount(tx, statement.where(column.in_(part)))]))
