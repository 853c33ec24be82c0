"""The engines of a store in this process: made when first used, made anew after a fork."""

import os
import threading
from collections.abc import Callable

from sqlalchemy import Engine

from tickerq_celery.errors import StoreError


class Engines:
    """An engine, and one beside it whose every statement is a transaction that commits itself."""

    def __init__(self, make: Callable[[], Engine], make_autocommitting: Callable[[Engine], Engine]) -> None:
        self._make = make
        self._make_autocommitting = make_autocommitting
        self._usual: Engine | None = None
        self._autocommitting: Engine | None = None
        self._pid = 0
        self._mutex = threading.Lock()
        # Engines made before a fork: kept, since closing their connections here would close the parent's.
        self._inherited: list[Engine | None] = []

    @property
    def usual(self) -> Engine:
        """This process's engine.

        Raises:
            StoreError: Another thread has closed it.
        """
        return self._opened(lambda: self._usual)

    @property
    def autocommitting(self) -> Engine:
        """The one beside it; raises what ``usual`` does."""
        return self._opened(lambda: self._autocommitting)

    def close(self) -> None:
        """Close this process's connections; the next use opens new ones."""
        with self._mutex:
            if self._pid != os.getpid():
                return
            for engine in (self._usual, self._autocommitting):
                if engine is not None:
                    engine.dispose()
            self._usual = self._autocommitting = None

    def _opened(self, engine: Callable[[], Engine | None]) -> Engine:
        if engine() is None or self._pid != os.getpid():
            self._open()
        found = engine()
        if found is None:
            raise StoreError("the engine was closed by another thread")
        return found

    def _open(self) -> None:
        with self._mutex:
            if self._pid != os.getpid():
                self._inherited += [self._usual, self._autocommitting]
                self._usual = self._autocommitting = None
            if self._usual is None:
                made = self._make()
                self._usual, self._autocommitting = made, self._make_autocommitting(made)
                self._pid = os.getpid()
