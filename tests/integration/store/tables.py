"""What a database says of the store's tables."""

from typing import Any

from sqlalchemy import Connection, inspect, text

from tests.inner import VERSION_TABLE
from tests.tables import metadata


def described(connection: Connection) -> dict[str, Any]:
    """Return columns, types, keys, checks, indexes and options of each table."""
    found = inspect(connection)
    return {
        table: {
            "columns": {
                column["name"]: (str(column["type"]), column["nullable"], column["default"])
                for column in found.get_columns(table)
            },
            "primary key": found.get_pk_constraint(table),
            "foreign keys": _by_name(found.get_foreign_keys(table)),
            "unique": _by_name(found.get_unique_constraints(table)),
            "checks": _by_name(found.get_check_constraints(table)),
            "indexes": {index["name"]: _comparable(index) for index in found.get_indexes(table)},
            "options": _options(connection, table),
        }
        for table in metadata.tables
    }


def _options(connection: Connection, table: str) -> Any:
    """Return how the database keeps the table: SQLAlchemy 2.0 can read it of MariaDB alone."""
    if connection.dialect.name == "postgresql":
        kept = text("SELECT reloptions FROM pg_class WHERE oid = CAST(:name AS regclass)")
        return connection.scalar(kept, {"name": table})
    return None if connection.dialect.name == "sqlite" else inspect(connection).get_table_options(table)


def _by_name(things: list[Any]) -> dict[str | None, Any]:
    return {thing["name"]: thing for thing in things}


def _comparable(index: Any) -> dict[str, Any]:
    """Return an index with its conditions as texts: two clauses are never equal."""
    options = {name: str(value) for name, value in index.get("dialect_options", {}).items()}
    return {**index, "dialect_options": options}


def drop_all(connection: Connection) -> None:
    """Drop the tables of the models, and Alembic's."""
    metadata.drop_all(connection)
    connection.execute(text(f"DROP TABLE {VERSION_TABLE}"))
