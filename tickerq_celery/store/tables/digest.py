"""A digest of the tables, by which a store that an unreleased version made is known."""

import hashlib
from collections.abc import Iterator

from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Index, MetaData, Table
from sqlalchemy.sql.schema import ColumnCollectionConstraint

from tickerq_celery.store.tables.conventions import CONDITION


def digest_of(tables: MetaData) -> str:
    """Return 64 hex digits that change with any column, key, check or index of the tables.

    They are made from names and lengths, so that another release of SQLAlchemy changes nothing.
    """
    lines = [f"{table.name}: {line}" for table in tables.tables.values() for line in _described(table)]
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def _described(table: Table) -> Iterator[str]:
    yield from map(_column, table.columns)
    for index in table.indexes:
        where = index.info.get(CONDITION)
        yield f"index {index.name} {_names(index)} unique={index.unique} where={where}"
    for constraint in table.constraints:
        if isinstance(constraint, CheckConstraint):
            yield f"check {constraint.name} {constraint.sqltext}"
        elif isinstance(constraint, ForeignKeyConstraint):
            targets = [element.target_fullname for element in constraint.elements]
            yield f"foreign key {constraint.name} {_names(constraint)} {targets} {constraint.ondelete}"
        elif isinstance(constraint, ColumnCollectionConstraint):
            yield f"{type(constraint).__name__} {constraint.name} {_names(constraint)}"


def _column(column: Column[object]) -> str:
    length = getattr(column.type, "length", None)
    kind = type(column.type).__name__
    return f"column {column.name} {kind} {length} null={column.nullable}"


def _names(part: Index | ColumnCollectionConstraint) -> list[str]:
    return [column.name for column in part.columns]
