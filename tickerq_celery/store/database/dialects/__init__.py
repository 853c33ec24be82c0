"""The databases that the store supports, a module each.

What else names one: its column types in ``store/tables/column_types.py``, partial indexes and storage options
in ``store/tables/conventions.py`` and ``store/migrations/``, and its extra in ``pyproject.toml``.
"""

from collections.abc import Mapping

from tickerq_celery.errors import ConfigError
from tickerq_celery.store.database.dialects.dialect import Dialect
from tickerq_celery.store.database.dialects.mysql import MySQL
from tickerq_celery.store.database.dialects.postgresql import PostgreSQL
from tickerq_celery.store.database.dialects.sqlite import SQLite

__all__ = ["DIALECTS", "SPELLINGS", "Dialect", "dialect_of"]

_MYSQL = MySQL()
# By SQLAlchemy's names.
DIALECTS: Mapping[str, Dialect] = {
    "sqlite": SQLite(),
    "postgresql": PostgreSQL(),
    "mysql": _MYSQL,
    "mariadb": _MYSQL,
}
# What hosting companies and older tools write, by what SQLAlchemy takes.
SPELLINGS: Mapping[str, str] = {"postgres": "postgresql+psycopg"}


def dialect_of(name: str) -> Dialect:
    """Return the dialect of that name.

    Raises:
        ConfigError: The store does not support it.
    """
    if name not in DIALECTS:
        raise ConfigError("store_url", f"no support for {name!r}: use PostgreSQL, MariaDB or SQLite")
    return DIALECTS[name]
