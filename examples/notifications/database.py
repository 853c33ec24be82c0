"""Sessions on the ticker store's own database, so that a user and a ticker commit together."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cached_property

from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session, sessionmaker


class Database:
    """Where the example's tables are; nothing is opened before it is first used."""

    def __init__(self, url: Callable[[], str]) -> None:
        self._url = url

    @cached_property
    def engine(self) -> Engine:
        """The engine of this process; a forked child of it gets connections of its own."""
        engine = create_engine(self._url(), pool_pre_ping=True)
        os.register_at_fork(after_in_child=lambda: engine.dispose(close=False))
        return engine

    def transaction(self) -> AbstractContextManager[Session]:
        """Begin a transaction; it commits at the end of the ``with`` block, or not at all."""
        return sessionmaker(self.engine, expire_on_commit=False).begin()
