"""A forked process that is to its marks what a child of a prefork pool is."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from billiard.process import current_process

from tickerq_celery.worker.child_marks import ChildMarks


@contextmanager
def child(marks: ChildMarks, number: int, work: Callable[[ChildMarks], object]) -> Iterator[int]:
    """Fork a child of a pool that does something with its mark, and lives until the block ends."""
    is_done, was_done = os.pipe()
    pid = os.fork()
    if pid == 0:
        current_process().index = number
        work(marks)
        os.write(was_done, b".")
        signal.pause()
    assert os.read(is_done, 1)
    try:
        yield pid
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(is_done)
        os.close(was_done)
