"""Wait for what happens in other processes."""

import time
from collections.abc import Callable
from typing import TypeVar

WAIT_SECONDS = 90.0
T = TypeVar("T")


def wait_until(is_true: Callable[[], T], what: Callable[[], str], seconds: float = WAIT_SECONDS) -> T:
    """Return what ``is_true`` returned once it is true; fail after the deadline, saying what was awaited."""
    deadline = time.monotonic() + seconds
    while True:
        found = is_true()
        if found:
            return found
        assert time.monotonic() < deadline, f"not within {seconds} s: {what()}"
        time.sleep(0.05)
