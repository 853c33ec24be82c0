"""How long a task waits for the record of its end."""

from datetime import timedelta
from typing import Any

# In seconds before Celery's hard limit, which goes on counting, and at least.
_MARGIN, _LEAST_WAIT = 1.0, 0.05


def hard_limit_of(task: Any, otherwise: float | None) -> float | None:
    """Return the hard time limit in seconds of what a task executes; ``otherwise`` is its worker's own."""
    hard, _ = task.request.timelimit or (None, None)
    return hard or task.time_limit or otherwise


def longest_wait(hard: float | None, elapsed: timedelta, lease: timedelta) -> float:
    """Return the seconds that a task may wait after it has run so long: a lease, and not into its limit."""
    if hard is None:
        return lease.total_seconds()
    left = hard - elapsed.total_seconds() - _MARGIN
    return min(max(left, _LEAST_WAIT), lease.total_seconds())
