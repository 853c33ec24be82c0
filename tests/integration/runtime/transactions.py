"""Cores on any database, and what their transactions do here: write a row, count rows, or take minutes."""

from typing import Any

from sqlalchemy import func, insert, select, text

from tests.inner import Core, Database, Registry, Transaction, new_identity, parsed_url
from tests.tables import seeders
from tickerq_celery.clock import SystemClock
from tickerq_celery.views import TickerConfig

# A query that takes minutes, on each database.
COUNTING = (
    "WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {}) SELECT max(n) FROM c"
)
WIDE = {
    "sqlite": text(COUNTING.format(10**10)),
    "postgresql": text("SELECT pg_sleep(600)"),
    "mysql": text("SELECT SLEEP(600)"),
}


def core_on(url: str, namespace: str) -> Core:
    return Core(
        config=TickerConfig(namespace=namespace),
        clock=SystemClock(),
        database=Database(parsed_url(url)),
        registry=Registry(),
        node=new_identity("test"),
    )


def add(tx: Transaction, name: str = "one") -> str:
    tx.execute(insert(seeders).values(namespace=tx.namespace, name=name, is_due=False))
    return name


def count(tx: Transaction) -> int:
    found = select(func.count()).select_from(seeders).where(seeders.c.namespace == tx.namespace)
    return tx.scalars(found).one()


def wide(tx: Transaction) -> Any:
    return tx.execute(WIDE[tx.connection.dialect.name]).all()
