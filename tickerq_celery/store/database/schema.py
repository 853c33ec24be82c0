"""Make or migrate the store's tables, and refuse a store that this version cannot work with."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, insert, inspect, select, update

from tickerq_celery.clock import Clock
from tickerq_celery.errors import SchemaError
from tickerq_celery.ids import new_id
from tickerq_celery.store.database.database import Database
from tickerq_celery.store.database.dialects import dialect_of
from tickerq_celery.store.database.errors import NO_TABLES
from tickerq_celery.store.tables import meta, metadata
from tickerq_celery.store.tables.column_types import sql_now
from tickerq_celery.store.tables.digest import digest_of

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

    Raises:
        StoreError: The database cannot be reached.
        SchemaError: The store is newer and not compatible, or an unreleased version made it.
    """
    database.write(lambda connection: _migrate(connection, clock, schema))


def verify(database: Database, schema: Schema = SCHEMA) -> None:
    """Check that this version can work with the store.

    Raises:
        StoreError: The database cannot be reached.
        SchemaError: The tables are missing, too old, too new, or those of an unreleased version.
    """
    database.read(lambda connection: _verify(connection, schema))


def alembic_config(connection: Connection, schema: Schema = SCHEMA) -> Config:
    """Return Alembic's configuration for the shipped revisions, bound to ``connection``."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    folders = "\n".join(str(folder) for folder in schema.revisions)
    config.set_main_option("version_locations", folders.replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _migrate(connection: Connection, clock: Clock, schema: Schema) -> None:
    with dialect_of(connection.dialect.name).migration_lock(connection):
        if _has_meta(connection):
            _refuse_others(connection, schema)
            known = connection.scalar(select(meta.c.schema))
            if known is not None and known >= schema.number:
                return
        command.upgrade(alembic_config(connection, schema), "head")
        now = connection.scalars(select(sql_now(clock))).one()
        versions = {
            "schema": schema.number,
            "compatible_from": schema.compatible_from,
            "digest": schema.digest,
        }
        if connection.execute(update(meta).values(**versions)).rowcount == 0:
            connection.execute(insert(meta).values(id=1, store_id=new_id(), created_at=now, **versions))


def _verify(connection: Connection, schema: Schema) -> None:
    if not _has_meta(connection):
        raise SchemaError(NO_TABLES)
    _refuse_others(connection, schema)
    found = connection.scalar(select(meta.c.schema))
    if found is None or found < schema.number:
        raise SchemaError(
            f"the store has schema {found}, this version needs {schema.number}: "
            "run `celery -A yourapp tickerq migrate`"
        )


def _refuse_others(connection: Connection, schema: Schema) -> None:
    if meta.c.digest.name not in {column["name"] for column in inspect(connection).get_columns(meta.name)}:
        raise SchemaError(_UNRELEASED)
    found = connection.execute(select(meta.c.schema, meta.c.compatible_from, meta.c.digest)).one_or_none()
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
