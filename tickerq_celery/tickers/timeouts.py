"""How long an attempt may take: when its function is interrupted, and when its process is killed."""

from dataclasses import dataclass
from typing import Any

from tickerq_celery import validation
from tickerq_celery.errors import TickerValidationError

# How many seconds a function has to end after its soft limit, where no hard one is given.
GRACE_SECONDS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds from the start of an attempt; None means that there is no such limit."""

    soft: float | None = None
    hard: float | None = None

    @property
    def kill_after(self) -> float | None:
        """When the process is killed: some time after the soft limit, unless a hard one says when."""
        if self.hard is not None or self.soft is None:
            return self.hard
        return self.soft + GRACE_SECONDS


UNLIMITED = Timeouts()


def checked_timeouts(timeout: object, hard_timeout: object, *, of_function: float | None = None) -> Timeouts:
    """Return timeouts in seconds, given as seconds or as timedeltas.

    Where there is only a hard one, the soft one is that ``of_function``.

    Raises:
        TickerValidationError: One is no duration of more than 0, or the hard one comes first.
    """
    found = Timeouts(soft=_checked("timeout", timeout), hard=_checked("hard_timeout", hard_timeout))
    if found.soft is not None and found.hard is not None and found.hard <= found.soft:
        raise TickerValidationError("hard_timeout", hard_timeout, f"pass more than timeout, {found.soft:g} s")
    theirs = of_function if found.soft is None else None
    if found.hard is not None and theirs is not None and found.hard <= theirs:
        raise TickerValidationError(
            "hard_timeout",
            hard_timeout,
            f"pass more than the timeout of its function, {theirs:g} s, or a timeout as well",
        )
    return found


def _checked(field: str, value: Any) -> float | None:
    if value is None:
        return None
    seconds = validation.seconds(field, validation.in_seconds([value])[0])
    if seconds == 0:
        raise TickerValidationError(field, value, "pass more than 0 seconds, or None for no limit")
    return seconds
