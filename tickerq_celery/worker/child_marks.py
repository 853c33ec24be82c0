"""Marks by which the children of a prefork pool show the worker's main process which claims they execute."""

import mmap
import os
import struct
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from billiard.process import current_process

from tickerq_celery.broker.messages import task_id

# Process id, ticker id, claim number.
_MARK = struct.Struct("<q16sq")
_NONE = bytes(_MARK.size)
_MOST_CHILDREN = 4096


@dataclass(frozen=True, slots=True)
class _Mark:
    pid: int
    ticker_id: bytes
    claim_no: int


class ChildMarks:
    """One mark a child, in memory that forks share; it is made before the pool is.

    A child sets its mark before it writes the start of a run, and removes it when it has nothing more to
    write about it. So a run that is InProgress under this worker, and that no living child has marked, is
    lost. Celery's own bookkeeping does not say so: its pool forgets its jobs when the broker's connection is
    lost, and then notices neither the death of a child nor the end of a job.
    """

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, _MOST_CHILDREN * _MARK.size)

    def begin(self, ticker_id: UUID, claim_no: int) -> None:
        """Mark that this process executes a claim; nothing where it is no child of a pool."""
        self._write(_MARK.pack(os.getpid(), ticker_id.bytes, claim_no))

    @contextmanager
    def removed_after(self) -> Iterator[None]:
        """Remove at the end of the block what it has marked."""
        try:
            yield
        finally:
            self._write(_NONE)

    def claims(self) -> Collection[str]:
        """Return the Celery task ids of the claims that living children execute; for the main process."""
        return {
            task_id(UUID(bytes=mark.ticker_id), mark.claim_no) for mark in self._marks() if _lives(mark.pid)
        }

    def _marks(self) -> list[_Mark]:
        return [_Mark(*fields) for fields in _MARK.iter_unpack(self._memory[:]) if fields[0]]

    def _write(self, mark: bytes) -> None:
        # Billiard numbers the children of a pool; the number of a dead one is that of its successor.
        number: int | None = getattr(current_process(), "index", None)
        if number is None:
            return
        if number >= _MOST_CHILDREN:
            raise RuntimeError(f"child {number} of the pool has no mark: start at most {_MOST_CHILDREN}")
        self._memory[number * _MARK.size : (number + 1) * _MARK.size] = mark


def _lives(pid: int) -> bool:
    """Return True unless a child of this process has ended; its pool still learns of that by itself."""
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
    except ChildProcessError:
        return False
