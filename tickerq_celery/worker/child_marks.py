"""Marks by which the children of a prefork pool show the worker's main process which claims they execute."""

import fcntl
import mmap
import os
import struct
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from uuid import UUID
from weakref import finalize

from billiard.process import current_process

from tickerq_celery.broker.messages import task_id
from tickerq_celery.tickers.timeouts import TimeLimits

# Process id, ticker id, claim number; and of a limited body the moment of its begin, by the monotonic clock
# that all processes share, and its soft and hard limit in seconds. What is not limited is 0.
_MARK = struct.Struct("<q16sqddd")
_NONE = bytes(_MARK.size)
_LIMITS = struct.Struct("<ddd")
_UNLIMITED = bytes(_LIMITS.size)
_MOST_CHILDREN = 4096
# Of each child the mark of what it executes, and those of executions whose ends are still being recorded.
_MARKS_OF_A_CHILD = 8


@dataclass(frozen=True, slots=True)
class Mark:
    """What a child executes; ``soft`` and ``hard`` of its body are 0 if unlimited.

    ``number`` is that of the mark. Of one that is kept after its body ``begun_at`` is when it is void.
    """

    number: int
    pid: int
    ticker_bytes: bytes
    claim_no: int
    begun_at: float
    soft: float
    hard: float

    @property
    def ticker_id(self) -> UUID:
        """The id of the run."""
        return UUID(bytes=self.ticker_bytes)

    @property
    def is_valid(self) -> bool:
        """Whether its child lives, and has something to write about the run."""
        is_void = bool(self.number % _MARKS_OF_A_CHILD) and time.monotonic() >= self.begun_at
        return not is_void and _lives(self.pid)

    def exceeds(self, limit: float, now: float) -> bool:
        """Return True if a body runs for longer than one of its limits."""
        return bool(limit) and now - self.begun_at >= limit


class ChildMarks:
    """The marks of the children, in memory that forks share; it is made before the pool is.

    A child sets its mark before it writes the start of a run, and removes it when it has nothing more to
    write about it. So a run that is InProgress under this worker, and that no living child has marked, is
    lost. Celery's own bookkeeping does not say so: its pool forgets its jobs when the broker's connection is
    lost, and then notices neither the death of a child nor the end of a job.
    """

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, _MOST_CHILDREN * _MARKS_OF_A_CHILD * _MARK.size)
        # A byte of each child that ever was: all the others have no marks, and most numbers are never given.
        self._used = mmap.mmap(-1, _MOST_CHILDREN)
        # A byte of it for each mark: the system releases the locks of a process that dies.
        self._locks = _new_file()
        finalize(self, os.close, self._locks)

    @property
    def is_child(self) -> bool:
        """Whether this process is a child of a pool, and has a mark."""
        return _own_number() is not None

    def begin(self, ticker_id: UUID, claim_no: int) -> None:
        """Mark that this process executes a claim; nothing where it is no child of a pool."""
        number = _own_number()
        if number is None:
            return
        position = self._slice(number)
        self._used[number // _MARKS_OF_A_CHILD] = 1
        self._memory[position] = _MARK.pack(os.getpid(), ticker_id.bytes, claim_no, 0, 0, 0)

    def end(self) -> None:
        """Remove the mark of what this process executes."""
        number = _own_number()
        if number is not None:
            self._memory[self._slice(number)] = _NONE

    def keep(self, *, until: float) -> Callable[[], None]:
        """Mark also after ``end``, up to a moment of the monotonic clock, what this process executes.

        What is returned removes that, in any thread. It does nothing where too much is kept already, or where
        this process is no child of a pool.
        """
        own = _own_number()
        if own is None:
            return _nothing
        pid, ticker_bytes, claim_no, *_ = _MARK.unpack(self._memory[self._slice(own)])
        for number in range(own + 1, own + _MARKS_OF_A_CHILD):
            position = self._slice(number)
            # A predecessor of this process, with its number, has left its own.
            if pid and _MARK.unpack(self._memory[position])[0] != pid:
                self._memory[position] = _MARK.pack(pid, ticker_bytes, claim_no, until, 0, 0)
                return lambda: self._memory.__setitem__(position, _NONE)
        return _nothing

    @contextmanager
    def removed_after(self) -> Iterator[None]:
        """Remove at the end of the block what it has marked."""
        try:
            yield
        finally:
            self.end()

    def begin_body(self, limits: TimeLimits, begun_at: float) -> None:
        """Mark how long a body may run that began at a moment of the monotonic clock."""
        self._write_limits(_LIMITS.pack(begun_at, limits.soft or 0, limits.hard or 0))

    def end_body(self) -> None:
        """Mark that the body has ended: once this returns, no limit interrupts it any more."""
        self._write_limits(_UNLIMITED)

    def claims(self) -> Collection[str]:
        """Return the Celery task ids of the claims that living children execute; for the main process."""
        return {task_id(mark.ticker_id, mark.claim_no) for mark in self._marks() if mark.is_valid}

    def overdue(self) -> list[Mark]:
        """Return the living children whose bodies exceed a limit; for the main process."""
        now = time.monotonic()
        return [
            mark
            for mark in self._marks()
            if (mark.exceeds(mark.hard, now) or mark.exceeds(mark.soft, now)) and _lives(mark.pid)
        ]

    @contextmanager
    def frozen(self, mark: Mark) -> Iterator[bool]:
        """Keep a body from being marked as ended within the block; False where it was, or might be now.

        For one thread of the main process. It never waits: a child that is stalled keeps its lock.
        """
        try:
            fcntl.lockf(self._locks, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, mark.number)
        except OSError:
            yield False
            return
        try:
            yield self._memory[self._slice(mark.number)] == _packed(mark)
        finally:
            fcntl.lockf(self._locks, fcntl.LOCK_UN, 1, mark.number)

    def forget_limits(self, mark: Mark, *, and_hard: bool) -> None:
        """Remove the soft limit of a frozen mark, which was enforced, or both."""
        hard = 0 if and_hard else mark.hard
        self._memory[self._slice(mark.number)] = _packed(replace(mark, soft=0, hard=hard))

    def _marks(self) -> list[Mark]:
        children = len(self._used[:].rstrip(b"\0"))
        memory = self._memory[: children * _MARKS_OF_A_CHILD * _MARK.size]
        fields = enumerate(_MARK.iter_unpack(memory))
        return [Mark(number, *mark) for number, mark in fields if mark[0]]

    def _write_limits(self, limits: bytes) -> None:
        number = _own_number()
        if number is None:
            return
        own = self._slice(number)
        fcntl.lockf(self._locks, fcntl.LOCK_EX, 1, number)
        try:
            self._memory[own.stop - _LIMITS.size : own.stop] = limits
        finally:
            fcntl.lockf(self._locks, fcntl.LOCK_UN, 1, number)

    @staticmethod
    def _slice(number: int) -> slice:
        if number >= _MOST_CHILDREN * _MARKS_OF_A_CHILD:
            child = number // _MARKS_OF_A_CHILD
            raise RuntimeError(f"child {child} of the pool has no mark: start at most {_MOST_CHILDREN}")
        return slice(number * _MARK.size, (number + 1) * _MARK.size)


def _packed(mark: Mark) -> bytes:
    return _MARK.pack(mark.pid, mark.ticker_bytes, mark.claim_no, mark.begun_at, mark.soft, mark.hard)


def _own_number() -> int | None:
    """Return the number of the first mark of this process, or None where it is no child of a pool."""
    # Billiard numbers the children of a pool; the number of a dead one is that of its successor.
    number: int | None = getattr(current_process(), "index", None)
    return None if number is None else number * _MARKS_OF_A_CHILD


def _nothing() -> None:
    pass


def _lives(pid: int) -> bool:
    """Return True unless a child of this process has ended; its pool still learns of that by itself."""
    if not hasattr(os, "waitid"):  # macOS, before Python 3.13
        return _exists(pid)
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
    except ChildProcessError:
        return False


def _exists(pid: int) -> bool:
    """Return True until the pool has reaped a child."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _new_file() -> int:
    """Return a file that has no name, and is in memory only where the system has such files."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("tickerq-child-marks")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
