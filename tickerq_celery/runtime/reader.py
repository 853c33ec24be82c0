"""Reads whose caller waits for a limited time, however many there are and whatever the database does."""

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextvars import copy_context
from datetime import timedelta
from queue import SimpleQueue
from typing import Generic, TypeVar

from sqlalchemy import Connection

from tickerq_celery.errors import QueryTooWideError, StoreTimeoutError
from tickerq_celery.runtime.shared_limit import part_of
from tickerq_celery.runtime.work_thread import awaited, outcome_of
from tickerq_celery.store.database.database import Database
from tickerq_celery.store.database.reading import ReadBudget, ReadDatabase

_Calls = SimpleQueue[Callable[[], object] | None]
T = TypeVar("T")
X = TypeVar("X")
# In seconds: what a read has beyond the budget of one statement, and what the database then has for saying
# that a statement has taken too long.
_BESIDE_A_STATEMENT = 0.5
_FOR_THE_ANSWER = 0.4


class WorkThreads:
    """At most ``most`` daemon threads, which take calls in their order.

    Nothing here is waited for, so that a signal's handler may make a call, too.
    """

    def __init__(self, name: str, most: int) -> None:
        self._name = name
        self._most = most
        self._begin()

    def do(self, call: Callable[[], object]) -> None:
        """Let a thread do ``call``, which raises nothing, as soon as one is free."""
        if self._pid != os.getpid():
            # Threads do not survive a fork.
            self._begin()
        calls, idle = self._calls, self._idle
        calls.put(call)
        if not _taken(idle) and _taken(self._startable):
            threading.Thread(target=_serve, args=(calls, idle), name=self._name, daemon=True).start()

    def end(self) -> None:
        """Let the threads end once they have done what was asked of them; the next call makes new ones."""
        calls, started = self._calls, self._most - len(self._startable)
        self._begin()
        for _ in range(started):
            calls.put(None)

    def _begin(self) -> None:
        self._calls = _Calls()
        # One item for each thread that has nothing to do, and for each that may yet be started.
        self._idle: deque[None] = deque()
        self._startable: deque[None] = deque([None] * self._most)
        self._pid = os.getpid()


def _taken(tokens: deque[None]) -> bool:
    try:
        tokens.pop()
    except IndexError:
        return False
    return True


def _serve(calls: _Calls, idle: deque[None]) -> None:
    while (call := calls.get()) is not None:
        call()
        idle.append(None)


class _Read(Generic[T]):
    """One read, for a thread to do."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._context = copy_context()
        self.outcomes: SimpleQueue[Callable[[], T]] = SimpleQueue()

    def __call__(self) -> None:
        self.outcomes.put(outcome_of(lambda: self._context.run(self._work)))


class Reader:
    """Reads on ``connections`` of its own, a thread each, since no driver bounds all that it may wait for.

    No read takes a connection from writes. One that is given up keeps its own until the database answers.
    """

    def __init__(self, database: Database, *, connections: int, budget: timedelta) -> None:
        self.database = ReadDatabase(database, connections=connections)
        self._writer = database
        self._statement = budget.total_seconds()
        self._threads = WorkThreads("tickerq-read", connections)

    def read(
        self,
        begin: Callable[[Connection], X],
        work: Callable[..., T],
        args: tuple[object, ...],
        kwargs: Mapping[str, object],
    ) -> T:
        """Run ``work`` with what ``begin`` makes of a connection in a transaction that can only read.

        Raises:
            QueryTooWideError: It took too long, or other reads did.
            StoreTimeoutError: The database gave no answer.
            StoreError: It cannot be reached, or refused every try.
        """
        if not self._writer.may_have_readers:
            return self._writer.run(begin, work, args, kwargs, reading=True)
        statement, whole = part_of(self._statement), part_of(self._statement + _BESIDE_A_STATEMENT)
        if statement <= 0:
            # No thread could say so in less time than there is.
            raise QueryTooWideError(0.0)
        budget = ReadBudget(statement=statement, until=time.monotonic() + whole)
        read = _Read(lambda: self.database.read_within(budget, begin, work, args, kwargs))
        self._threads.do(read)
        limit = whole + _FOR_THE_ANSWER
        try:
            return awaited(read.outcomes, limit=limit)
        except TimeoutError as error:
            # Also one that has not begun: no read before it has been answered in time.
            raise StoreTimeoutError(round(limit, 1)) from error

    def close(self) -> None:
        """Close the connections; the next read opens new ones."""
        self._threads.end()
        self.database.close()
