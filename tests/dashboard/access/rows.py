"""All rows of a store."""

from typing import Any

from sqlalchemy import select

from tests.dashboard.seeds import Seeds
from tests.tables import metadata


def rows_of(seeds: Seeds) -> dict[str, list[Any]]:
    """Return the rows of each table, by its name."""
    return {
        table.name: seeds.tickerq.core.read(lambda tx, t=table: list(tx.execute(select(t)).all()))
        for table in metadata.sorted_tables
    }
