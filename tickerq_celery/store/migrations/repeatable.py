"""Steps of a revision that do nothing where they were done already.

MariaDB commits each of them by itself: a migration that is cut off, by a kill or a lost connection, leaves
some of them done and its revision unrecorded, and is repeated from the revision's first step. Not every
database understands Alembic's own ``if_not_exists`` of columns and indexes, so the database is asked; the
migration's lock lets nothing change in between.
"""

from collections.abc import Mapping
from typing import Any

from alembic import op
from sqlalchemy import Column, inspect, text
from sqlalchemy.schema import SchemaItem

from tickerq_celery.store.tables.conventions import set_storage


def create_table(name: str, *parts: SchemaItem, **options: Any) -> None:
    """Create a table, unless it is there."""
    op.create_table(name, *parts, if_not_exists=True, **options)


def set_table_storage(table: str, **storage: Mapping[str, float]) -> None:
    """Set parameters of a table, such as ``postgresql_with``, where the database is of that kind."""
    set_storage(op.get_bind(), table, storage)


def create_index(
    name: str, table: str, columns: list[str], *, unique: bool, where: str | None = None
) -> None:
    """Create an index, unless the table has one of that name; ``where`` limits it on databases that can."""
    if name not in {index["name"] for index in inspect(op.get_bind()).get_indexes(table)}:
        condition = None if where is None else text(where)
        op.create_index(
            name, table, columns, unique=unique, postgresql_where=condition, sqlite_where=condition
        )


def add_column(table: str, column: Column[Any]) -> None:
    """Add a column to a table, unless it has one of that name."""
    if column.name not in {each["name"] for each in inspect(op.get_bind()).get_columns(table)}:
        op.add_column(table, column)
