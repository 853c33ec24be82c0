"""Writes whose caller waits for a limited time; what it has given up is not committed."""

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from queue import SimpleQueue
from typing import Generic, TypeVar

from tickerq_celery.errors import StoreError
from tickerq_celery.runtime.core import Core
from tickerq_celery.runtime.idle_threads import IdleThreads
from tickerq_celery.runtime.work_thread import awaited, outcome_of
from tickerq_celery.store.database.transaction import Transaction

logger = logging.getLogger(__name__)
T = TypeVar("T")


class _AbandonedError(Exception):
    """The caller of a write has given it up."""


class _Write(Generic[T]):
    """One write: its caller gives it up, or the thread concludes it, whichever comes first."""

    def __init__(self) -> None:
        # Taken once, and never waited for.
        self._decision = threading.Lock()
        self._is_given_up = False
        self._connections: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self.outcome: Callable[[], T] | None = None

    def connected(self) -> None:
        """Let the caller know that there is a connection, or that there will be none."""
        self._connections.put(lambda: None)

    def wait_for_connection(self, *, limit: float) -> None:
        """Wait until ``connected`` was called.

        Raises:
            TimeoutError: It was not in ``limit`` seconds.
        """
        awaited(self._connections, limit=limit)

    def conclude(self, outcome: Callable[[], T]) -> bool:
        """Let the caller have the outcome; return False if it has given the write up."""
        self.outcome = outcome
        return self._decision.acquire(blocking=False)

    def give_up(self) -> bool:
        """Give the write up; return False if it is concluded, so that there is an outcome."""
        self._is_given_up = self._decision.acquire(blocking=False)
        return self._is_given_up

    def guarded(self, tx: Transaction, work: Callable[[Transaction], T]) -> T:
        """Do the work, unless its caller has given it up before it began or before it is committed."""
        self._go_on()
        result = work(tx)
        self._go_on()
        return result

    def _go_on(self) -> None:
        if self._is_given_up:
            raise _AbandonedError


class BoundedWrites:
    """Does writes in threads of its own, since no driver bounds all that a connection may wait for.

    The caller waits for ``connect_limit`` until there is a connection, for which a fresh process imports its
    driver, and from then on for ``limit``. A write that it has given up is rolled back; one whose commit was
    on its way is undone by ``undo`` as soon as the store answers.
    """

    def __init__(self, core: Core, limit: timedelta, *, connect_limit: timedelta) -> None:
        self._core = core
        self._limit = limit.total_seconds()
        self._connect_limit = connect_limit.total_seconds()
        self._idle = IdleThreads("tickerq-write")

    def write(self, work: Callable[[Transaction], T], *, undo: Callable[[Transaction], object]) -> T:
        """Run ``work`` in a transaction, commit, and return what it returned.

        Raises:
            StoreError: The database cannot be reached, refused every try, or did not answer in time.
        """
        write: _Write[T] = _Write()
        thread, is_in_time = self._idle.take(), False
        reason = f"there was no connection in {self._connect_limit:g} s"
        try:
            outcomes = thread.begin(lambda: self._write(write, work, undo))
            with suppress(TimeoutError):
                write.wait_for_connection(limit=self._connect_limit)
                reason = f"it took longer than {self._limit:g} s"
                awaited(outcomes, limit=self._limit)
        finally:
            # Too late, or a signal's handler raised here: the thread ends with what it does.
            is_in_time = not write.give_up()
            if is_in_time:
                self._idle.give_back(thread)
            else:
                thread.end()
        if not is_in_time or write.outcome is None:
            raise StoreError(reason)
        return write.outcome()

    def close(self) -> None:
        """Let the threads end; the next write makes another one."""
        self._idle.end()

    def _write(
        self, write: _Write[T], work: Callable[[Transaction], T], undo: Callable[[Transaction], object]
    ) -> None:
        core = self._core
        outcome = outcome_of(
            lambda: core.database.run(
                core.writing, write.guarded, (work,), {}, reading=False, connected=write.connected
            )
        )
        is_concluded = write.conclude(outcome)
        write.connected()
        if is_concluded:
            return
        try:
            outcome()
            core.write(undo)
        except _AbandonedError:
            return
        except StoreError as error:
            logger.warning("a write that was given up may be in the store: %s", error)
