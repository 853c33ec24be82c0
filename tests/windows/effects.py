"""The table of ``effects_app``, and what stands in it."""

from collections import Counter
from uuid import UUID

from sqlalchemy import Column, MetaData, String, Table, create_engine, select
from sqlalchemy.pool import NullPool

# No key: a second effect of a run must be possible, to be seen.
effects = Table("random_effects", MetaData(), Column("run", String(36)))


def make_table(store_url: str) -> None:
    """Create the table in the store's database, unless it is there."""
    effects.create(create_engine(store_url, poolclass=NullPool), checkfirst=True)


def effects_of(store_url: str, runs: set[UUID]) -> Counter[UUID]:
    """Return how many effects each of these runs has."""
    with create_engine(store_url, poolclass=NullPool).connect() as connection:
        found = map(UUID, connection.scalars(select(effects.c.run)))
        return Counter(run for run in found if run in runs)
