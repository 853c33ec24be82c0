"""Writes whose caller waits for a limited time; what it has given up is not committed."""

import logging
import os
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import TypeVar

from tickerq_celery.errors import StoreError
from tickerq_celery.runtime.core import Core
from tickerq_celery.runtime.work_thread import WorkThread
from tickerq_celery.store.database.transaction import Transaction

logger = logging.getLogger(__name__)
T = TypeVar("T")


class _AbandonedError(Exception):
    """The caller of a write has given it up."""


class _Write:
    """One write: whether its caller still waits, and whether the thread is done with it."""

    def __init__(self) -> None:
        self._is_abandoned = threading.Event()
        self.is_done: bool = False

    @property
    def is_abandoned(self) -> bool:
        return self._is_abandoned.is_set()

    def abandon(self) -> None:
        self._is_abandoned.set()

    def guarded(self, tx: Transaction, work: Callable[[Transaction], T]) -> T:
        """Do the work, unless its caller has given it up before it began or before it is committed."""
        self._go_on()
        result = work(tx)
        self._go_on()
        return result

    def _go_on(self) -> None:
        if self.is_abandoned:
            raise _AbandonedError


class BoundedWrites:
    """Does writes in threads of its own, since no driver bounds all that a connection may wait for.

    The caller waits for ``limit``. A write that it has given up is rolled back; one whose commit was on its
    way is undone by ``undo`` as soon as the store answers.
    """

    def __init__(self, core: Core, limit: timedelta) -> None:
        self._core = core
        self._limit = limit.total_seconds()
        self._idle: deque[WorkThread] = deque()
        self._pid = os.getpid()

    def write(self, work: Callable[[Transaction], T], *, undo: Callable[[Transaction], object]) -> T:
        """Run ``work`` in a transaction, commit, and return what it returned.

        Raises:
            StoreError: The database cannot be reached, refused every try, or did not answer in time.
        """
        write, thread = _Write(), self._thread()
        try:
            return thread.call(lambda: self._write(write, work, undo), limit=self._limit)
        except TimeoutError as error:
            raise StoreError(f"it took longer than {self._limit:g} s") from error
        finally:
            if write.is_done:
                self._idle.append(thread)
            else:
                # Too late, or a signal's handler raised here: the thread ends with what it does.
                write.abandon()
                thread.end()

    def close(self) -> None:
        """Let the threads end; the next write makes another one."""
        with suppress(IndexError):
            while True:
                self._idle.pop().end()

    def _write(
        self, write: _Write, work: Callable[[Transaction], T], undo: Callable[[Transaction], object]
    ) -> T:
        try:
            result = self._core.write(write.guarded, work)
            if write.is_abandoned:
                self._core.write(undo)
            return result
        except StoreError as error:
            if write.is_abandoned:
                logger.warning("a write that was given up may be in the store: %s", error)
            raise
        finally:
            write.is_done = True

    def _thread(self) -> WorkThread:
        if self._pid != os.getpid():
            # Threads do not survive a fork.
            self._idle, self._pid = deque(), os.getpid()
        with suppress(IndexError):
            return self._idle.pop()
        return WorkThread(lambda: None, name="tickerq-write")
