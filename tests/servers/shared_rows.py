"""Keep a database that tests share small: lists and findings look at a bounded number of all its rows."""

from sqlalchemy import create_engine, func, select, text
from sqlalchemy.pool import NullPool

from tests.tables import meta, metadata, tickers

# A tenth of what a list reads at most: a test meets rows of others, and its own are found all the same.
_MANY = 200


def empty_store(url: str) -> None:
    """Delete all rows of a store, whosever they are."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        if connection.dialect.name in {"mysql", "mariadb"}:
            # It cascades through 15 generations of a chain at most.
            connection.execute(text("SET foreign_key_checks = 0"))
        for table in reversed(metadata.sorted_tables):
            if table is not meta:
                connection.execute(table.delete())


def empty_when_full(url: str) -> None:
    """Delete all rows of a store that has many."""
    engine = create_engine(url, poolclass=NullPool)
    some = select(tickers.c.id).limit(_MANY).subquery()
    with engine.connect() as connection:
        is_full = connection.scalar(select(func.count()).select_from(some)) == _MANY
    if is_full:
        empty_store(url)
