"""Make or migrate the store's tables, and refuse a store that this version cannot work with."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, inspect, select, update

from tickerq_celery.clock import Clock
from tickerq_celery.errors import SchemaError
from tickerq_celery.models import meta
from tickerq_celery.sqltypes import sql_now
from tickerq_celery.store.engine import NO_TABLES, Database, insert_if_absent, migration_lock
from tickerq_celery.uuid7 import new_id

VERSION_TABLE = "tickerq_alembic_version"
SCHEMA = 11
# The oldest code that can work on the tables as this version leaves them: older code ends a parent and
# leaves its children behind, takes a packed request for plain JSON, claims more runs than concurrency keys
# and rates allow, fires cron tickers outside their bounds, stops those with an interval, fires through the
# pause of a function, holds the calls of Celery tasks, and leaves the code's zone to look like an operator's.
COMPATIBLE_FROM = 11


def migrate(database: Database, clock: Clock) -> None:
    """Bring the store's tables to this version; a store that is newer stays as it is.

    Raises:
        StoreError: The database cannot be reached.
        SchemaError: The store is newer, and not compatible with this version.
    """
    database.write(lambda connection: _migrate(connection, clock))


def verify(database: Database) -> None:
    """Check that this version can work with the store.

    Raises:
        StoreError: The database cannot be reached.
        SchemaError: The tables are missing, too old, or too new.
    """
    database.read(_verify)


def alembic_config(connection: Connection) -> Config:
    """Return Alembic's configuration for the shipped revisions, bound to ``connection``."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _migrate(connection: Connection, clock: Clock) -> None:
    with migration_lock(connection):
        if _has_meta(connection):
            _refuse_newer(connection)
            known = connection.scalar(select(meta.c.schema))
            if known is not None and known >= SCHEMA:
                return
        command.upgrade(alembic_config(connection), "head")
        now = connection.scalars(select(sql_now(clock))).one()
        row = {"id": 1, "store_id": new_id(), "created_at": now}
        versions = {"schema": SCHEMA, "compatible_from": COMPATIBLE_FROM}
        insert_if_absent(connection, meta, [row | versions])
        connection.execute(update(meta).values(**versions))


def _verify(connection: Connection) -> None:
    if not _has_meta(connection):
        raise SchemaError(NO_TABLES)
    _refuse_newer(connection)
    found = connection.scalar(select(meta.c.schema))
    if found is None or found < SCHEMA:
        raise SchemaError(
            f"the store has schema {found}, this version needs {SCHEMA}: "
            "run `celery -A yourapp tickerq migrate`"
        )


def _refuse_newer(connection: Connection) -> None:
    oldest = connection.scalar(select(meta.c.compatible_from))
    if oldest is not None and oldest > SCHEMA:
        raise SchemaError(
            f"the store needs schema {oldest} or newer, this version knows {SCHEMA}: upgrade tickerq-celery"
        )


def _has_meta(connection: Connection) -> bool:
    return inspect(connection).has_table(meta.name)
