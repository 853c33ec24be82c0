"""Fixtures for tests of the schema: a database without tables, and a later version of it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.inner import SCHEMA, Database, Schema, resolved_url

LATER = Path(__file__).parent / "later_revisions"


@pytest.fixture
def empty(empty_database_url: str) -> Iterator[Database]:
    """A database without tables, on each kind."""
    database = Database(resolved_url(empty_database_url, Path.cwd()))
    yield database
    database.close()


@pytest.fixture
def later() -> Schema:
    """The schema of a later version, which adds a table by a revision of its own."""
    shipped = (*SCHEMA.revisions, LATER)
    return replace(SCHEMA, number=SCHEMA.number + 1, digest="later", revisions=shipped)
