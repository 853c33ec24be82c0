"""Which store a connection leads to."""

from uuid import UUID

from sqlalchemy import Connection, inspect, select

from tickerq_celery.store.tables import meta


def store_id(connection: Connection) -> UUID | None:
    """Return the UUID of the store in a connection's database, or None where there is no store."""
    # Asked first: on PostgreSQL an error would spoil the caller's transaction.
    if not inspect(connection).has_table(meta.name):
        return None
    return connection.scalar(select(meta.c.store_id))
