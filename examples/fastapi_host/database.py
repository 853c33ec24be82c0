"""Engines on the ticker store's own database: an async one for the web app, a sync one for workers."""

import os
from functools import cache

from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from examples.fastapi_host.celery_app import tickerq
from tickerq_celery import prepare_sqlite_engine

_ASYNC_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+psycopg", "mysql": "mysql+aiomysql"}


@cache
def engine() -> Engine:
    """Return this process's engine; a forked child of it gets connections of its own."""
    made = create_engine(tickerq.store_url, pool_pre_ping=True)
    prepare_sqlite_engine(made)
    os.register_at_fork(after_in_child=lambda: made.dispose(close=False))
    return made


@cache
def async_engine() -> AsyncEngine:
    """Return the web app's engine."""
    url = make_url(tickerq.store_url)
    made = create_async_engine(url.set(drivername=_ASYNC_DRIVERS[url.get_backend_name()]))
    prepare_sqlite_engine(made)
    return made
