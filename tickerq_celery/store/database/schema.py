"""Make or migrate the store's tables, and refuse a store that this version cannot work with."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, MetaData, Row, Table, insert, inspect, select, update
from sqlalchemy.exc import DBAPIError

from tickerq_celery.clock import Clock
from tickerq_celery.deferred import Deferred
from tickerq_celery.errors import SchemaError
from tickerq_celery.ids import new_id
from tickerq_celery.store.database.database import Database
from tickerq_celery.store.database.dialects import dialect_of
from tickerq_celery.store.database.errors import is_read_only, is_transient, no_tables
from tickerq_celery.store.database.urls import shown_store
from tickerq_celery.store.tables import meta, metadata
from tickerq_celery.store.tables.column_types import sql_now
from tickerq_celery.store.tables.digest import digest_of
from tickerq_celery.tickers.settings_report import SchemaView, TableSize
from tickerq_celery.wording import shortened

if TYPE_CHECKING:
    from tickerq_celery.store.migrations.upgrading import upgrade
else:
    # Few processes migrate, and the others need no Alembic.
    upgrade = Deferred("tickerq_celery.store.migrations.upgrading", "upgrade")

logger = logging.getLogger(__name__)

VERSION_TABLE = "tickerq_alembic_version"
_MIGRATIONS = Path(__file__).parents[1] / "migrations"
_UNRELEASED = "the store was made by an unreleased version: make a new one in an empty database"


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """The tables that one version of the code works with.

    ``compatible_from`` is the oldest schema whose code can work on these tables; ``revisions`` are the
    folders with Alembic's revisions, the last of which makes schema ``number``.
    """

    number: int
    compatible_from: int
    digest: str
    revisions: Sequence[Path]


SCHEMA = Schema(
    number=1, compatible_from=1, digest=digest_of(metadata), revisions=(_MIGRATIONS / "versions",)
)


def migrate(database: Database, clock: Clock, schema: Schema = SCHEMA) -> None:
    """Bring the store's tables to this version; a store that is newer stays as it is.

    It waits for each change of the tables as long as the database takes, and may be repeated wherever it was
    cut off.

    Raises:
        StoreError: The database cannot be reached.
        SchemaError: The store is newer and not compatible, or an unreleased version made it; the database
            refused a change of the tables; or it cannot store every text.
    """
    unbounded = database.unpooled(is_bounded=False)
    try:
        unbounded.write(lambda connection: _migrate(connection, clock, schema))
    finally:
        unbounded.close()


def drop(database: Database, refuse: Callable[[Connection], None]) -> None:
    """Drop all tables of the store, unless ``refuse`` raises: it looks at them while nobody migrates.

    Raises:
        StoreError: The database cannot be reached.
        SchemaError: The database refused it.
    """
    unbounded = database.unpooled(is_bounded=False)
    try:
        unbounded.write(lambda connection: _drop(connection, refuse))
    finally:
        unbounded.close()


def verify(database: Database, schema: Schema = SCHEMA) -> None:
    """Check that this version can work with the store.

    Raises:
        StoreError: The database cannot be reached.
        SchemaError: The tables are missing, too old, too new, or those of an unreleased version; or the
            database cannot store every text.
    """
    database.read(lambda connection: verify_on(connection, schema))
    database.is_verified = True


def verify_once(database: Database, connection: Connection) -> None:
    """Check the versions of a store's tables in the first transaction that writes, by one statement.

    Raises:
        SchemaError: The tables are too old, too new, or those of an unreleased version.
    """
    if not database.is_verified:
        try:
            found = _versions(connection)
        except DBAPIError as error:
            if meta.c.digest.name in str(error.orig):
                raise SchemaError(_UNRELEASED) from error
            raise
        _refuse_newer(found, SCHEMA)
        _refuse_older(found, SCHEMA)
        database.is_verified = True


def verify_on(connection: Connection, schema: Schema = SCHEMA) -> None:
    """Check the same on a connection that is open already.

    Raises:
        SchemaError: As ``verify`` raises it.
    """
    _refuse_encoding(connection)
    if not _has_meta(connection):
        raise SchemaError(no_tables(shown_store(connection.engine.url)))
    _refuse_others(connection, schema)
    _refuse_older(_versions(connection), schema)


def table_sizes(connection: Connection) -> list[TableSize]:
    """Return how large this version's tables are, the largest first; no row of them is read."""
    found = dialect_of(connection.dialect.name).table_sizes(connection, sorted(metadata.tables))
    return sorted(found, key=lambda table: (-(table.bytes or 0), -(table.rows or 0), table.name))


def stored(connection: Connection) -> SchemaView | None:
    """Return what a store says of its tables; None where it has none, or those of an unreleased version."""
    if not _has_meta(connection) or not _has_digest(connection):
        return None
    row = connection.execute(select(meta)).one_or_none()
    if row is None:
        return None
    return SchemaView(
        store_id=row.store_id,
        number=row.schema,
        compatible_from=row.compatible_from,
        digest=row.digest,
        created_at=row.created_at,
    )


def _migrate(connection: Connection, clock: Clock, schema: Schema) -> None:
    with dialect_of(connection.dialect.name).migration_lock(connection):
        _refuse_encoding(connection)
        if _has_meta(connection):
            _refuse_others(connection, schema)
            known = connection.scalar(select(meta.c.schema))
            if known is not None and known >= schema.number:
                return
        _upgrade(connection, schema)
        _refuse_foreign_tables(connection)
        now = connection.scalars(select(sql_now(clock))).one()
        versions = {
            "schema": schema.number,
            "compatible_from": schema.compatible_from,
            "digest": schema.digest,
        }
        if connection.execute(update(meta).values(**versions)).rowcount == 0:
            connection.execute(insert(meta).values(id=1, store_id=new_id(), created_at=now, **versions))


def _drop(connection: Connection, refuse: Callable[[Connection], None]) -> None:
    with dialect_of(connection.dialect.name).migration_lock(connection):
        refuse(connection)
        metadata.drop_all(connection)
        Table(VERSION_TABLE, MetaData()).drop(connection, checkfirst=True)


def _upgrade(connection: Connection, schema: Schema) -> None:
    logger.info("migrating the tables to schema %s, for as long as the database takes", schema.number)
    try:
        upgrade(connection, schema.revisions)
    except DBAPIError as error:
        if is_transient(error) or is_read_only(error):
            raise
        # The connection stands, so this is an answer, though a driver may call it an OperationalError.
        statement = shortened(" ".join((error.statement or "").split()))
        raise SchemaError(
            f"the database refused a change of the tables: {error.orig} (in {statement})"
        ) from error


def _refuse_foreign_tables(connection: Connection) -> None:
    """Refuse a table of our name that something else made: a repeatable step has left it alone."""
    for table in metadata.sorted_tables:
        if not inspect(connection).has_table(table.name):
            raise SchemaError(
                f"the table {table.name} is gone, though the store's migrations have run: restore it from a "
                "backup, or make a new store in an empty database"
            )
        there = {column["name"] for column in inspect(connection).get_columns(table.name)}
        lacking = [column.name for column in table.columns if column.name not in there]
        if lacking:
            raise SchemaError(
                f"another program or an unreleased version made the table {table.name}, which lacks "
                f"{', '.join(lacking)}: make a new store in an empty database"
            )


def _refuse_encoding(connection: Connection) -> None:
    flaw = dialect_of(connection.dialect.name).encoding_flaw(connection)
    if flaw is not None:
        raise SchemaError(flaw)


def _refuse_others(connection: Connection, schema: Schema) -> None:
    if not _has_digest(connection):
        raise SchemaError(_UNRELEASED)
    _refuse_newer(_versions(connection), schema)


def _versions(connection: Connection) -> Row[int, int, str] | None:
    return connection.execute(select(meta.c.schema, meta.c.compatible_from, meta.c.digest)).one_or_none()


def _refuse_older(found: Row[int, int, str] | None, schema: Schema) -> None:
    number = None if found is None else found.schema
    if number is None or number < schema.number:
        raise SchemaError(
            f"the store has schema {number}, this version needs {schema.number}: "
            "run `celery -A yourapp tickerq migrate`"
        )


def _refuse_newer(found: Row[int, int, str] | None, schema: Schema) -> None:
    if found is None:
        return
    if found.compatible_from > schema.number:
        raise SchemaError(
            f"the store needs schema {found.compatible_from} or newer, this version knows {schema.number}: "
            "upgrade tickerq-celery"
        )
    if found.schema == schema.number and found.digest != schema.digest:
        raise SchemaError(_UNRELEASED)


def _has_meta(connection: Connection) -> bool:
    return inspect(connection).has_table(meta.name)


def _has_digest(connection: Connection) -> bool:
    return meta.c.digest.name in {column["name"] for column in inspect(connection).get_columns(meta.name)}
