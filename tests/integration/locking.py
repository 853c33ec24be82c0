"""Lock rows as a process does that is stalled in its transaction."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import ColumnElement, Table, select

from tests.inner import Core, Database


@contextmanager
def locked(core: Core, table: Table, *which: ColumnElement[bool]) -> Iterator[None]:
    """Keep rows locked in a block, as a process does that is stalled in its transaction."""
    frozen = Database(core.database.url)
    try:
        with frozen.engine.begin() as connection:
            rows: list[Any] = list(connection.execute(select(table).where(*which).with_for_update()))
            assert rows
            yield
    finally:
        frozen.close()
