"""A worker or a beat as a process of its own, and the wait for what it does."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

MOST_SECONDS = 120.0
END_SECONDS = 5.0


@contextmanager
def running(*arguments: str, environment: Mapping[str, str]) -> Iterator[None]:
    """Run ``python -m …`` beside the block, and end it in good order."""
    with subprocess.Popen(
        [sys.executable, "-m", *arguments],
        env={**os.environ, **environment},
        stdout=sys.stderr,
        process_group=0,
    ) as process:
        try:
            yield
        finally:
            end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """End the leader of a process group in good order, or all of it if that takes long.

    A child of a worker may wait half a minute for its messages to be taken.
    """
    process.terminate()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)


def wait_for(done: Callable[[], int], count: int, *, look_every: float) -> int:
    """Return how many are done once that is ``count``, or at the latest after some time."""
    deadline = time.monotonic() + MOST_SECONDS
    while (so_far := done()) < count and time.monotonic() < deadline:
        time.sleep(look_every)
    return so_far
