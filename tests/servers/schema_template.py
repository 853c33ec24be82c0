"""The one module in which tests make the store's tables."""

from pathlib import Path

from tickerq_celery.clock import SystemClock
from tickerq_celery.store.database.database import Database
from tickerq_celery.store.database.schema import migrate
from tickerq_celery.store.database.urls import resolved_url


def make_schema(url: str) -> None:
    """Make the store's tables in an empty database."""
    database = Database(resolved_url(url, Path.cwd()))
    migrate(database, SystemClock())
    database.close()
