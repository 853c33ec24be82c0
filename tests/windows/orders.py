"""The table of ``outbox_app``: what its programs have committed."""

from collections.abc import Collection

from sqlalchemy import Column, MetaData, String, Table, create_engine, select
from sqlalchemy.pool import NullPool

orders = Table("outbox_orders", MetaData(), Column("name", String(100), primary_key=True))


def make_table(store_url: str) -> None:
    """Create the table in the store's database, unless it is there."""
    orders.create(create_engine(store_url, poolclass=NullPool), checkfirst=True)


def orders_of(store_url: str, namespace: str) -> Collection[str]:
    """Return the names of an application's orders that were committed, without its own."""
    with create_engine(store_url, poolclass=NullPool).connect() as connection:
        found = connection.scalars(select(orders.c.name)).all()
    return {name.partition(" ")[2] for name in found if name.startswith(f"{namespace} ")}
