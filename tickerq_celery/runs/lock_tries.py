"""Bounded tries to lock a row that another transaction may have locked."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
# A claim, a start or a finish keeps a row locked for milliseconds; a process that keeps it longer is stalled.
_PAUSES = (0.01, 0.05, 0.1, 0.2)


def first_locked(lock: Callable[[], T | None]) -> T | None:
    """Return what ``lock`` returns, trying for half a second where that is None.

    It is to pass over rows that another transaction has locked.
    """
    for pause in _PAUSES:
        found = lock()
        if found is not None:
            return found
        time.sleep(pause)
    return lock()
