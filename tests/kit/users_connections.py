"""Connections of a user's own test suite."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from tests.integration.apps import caller_engine


@contextmanager
def rolled_back(store_url: str) -> Iterator[Connection]:
    """Give a connection in a transaction that never commits, as SQLAlchemy's recipe for test suites does."""
    engine = caller_engine(store_url)
    with engine.connect() as connection:
        outer = connection.begin()
        yield connection
        outer.rollback()
    engine.dispose()
