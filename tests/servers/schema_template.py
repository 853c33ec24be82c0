"""The one place where tests make the store's tables."""

from pathlib import Path

from tickerq_celery.clock import SystemClock
from tickerq_celery.schema import migrate
from tickerq_celery.store.engine import Database, resolved_url


def make_schema(url: str) -> None:
    """Make the store's tables in an empty database."""
    database = Database(resolved_url(url, Path.cwd()))
    migrate(database, SystemClock())
    database.close()
