"""Time limits of an attempt: soft, which its function is notified of, and hard, which kills its process."""

from dataclasses import dataclass
from datetime import timedelta

from tickerq_celery import validation
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.wording import exactly

# From the soft limit to the hard one, where no hard one is given.
GRACE = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeLimits:
    """Seconds after which a body is interrupted, and its process killed; None is no limit."""

    soft: float | None = None
    hard: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """The timeouts that a function or a ticker sets, from the begin of a body; None sets none."""

    soft: timedelta | None = None
    hard: timedelta | None = None

    @property
    def kill_after(self) -> timedelta | None:
        """When the process is killed: some time after the soft limit, unless a hard one says when."""
        if self.hard is not None or self.soft is None:
            return self.hard
        return self.soft + GRACE

    def limits(self, otherwise: TimeLimits) -> TimeLimits:
        """Return the limits of a ticker with these timeouts; ``otherwise`` are those of its task."""
        if self.soft is not None:
            return self.of_a_task
        return TimeLimits(
            soft=otherwise.soft, hard=otherwise.hard if self.hard is None else self.hard.total_seconds()
        )

    @property
    def of_a_task(self) -> TimeLimits:
        """The limits of a task whose function has these timeouts."""
        return TimeLimits(soft=seconds_in(self.soft), hard=seconds_in(self.kill_after))


UNLIMITED = Timeouts()


def checked_timeouts(
    timeout: object, hard_timeout: object, *, of_function: timedelta | None = None
) -> Timeouts:
    """Return timeouts that are given as timedeltas or in seconds.

    Where there is only a hard one, the soft one is that ``of_function``.

    Raises:
        TickerValidationError: One is not a duration of more than 0, or the hard one is not the longer.
    """
    found = Timeouts(soft=_checked("timeout", timeout), hard=_checked("hard_timeout", hard_timeout))
    if found.soft is not None and found.hard is not None and found.hard <= found.soft:
        raise TickerValidationError(
            "hard_timeout", hard_timeout, f"must be more than timeout, {exactly(found.soft)}"
        )
    theirs = of_function if found.soft is None else None
    if found.hard is not None and theirs is not None and found.hard <= theirs:
        raise TickerValidationError(
            "hard_timeout",
            hard_timeout,
            f"must be more than the timeout of its function, {exactly(theirs)}: pass a timeout as well",
        )
    return found


def _checked(field: str, value: object) -> timedelta | None:
    if value is None:
        return None
    return validation.duration(field, value, least=validation.MORE_THAN_ZERO, note="None means no limit")


def seconds_in(span: timedelta | None) -> float | None:
    """Return a duration in seconds, None for none."""
    return None if span is None else span.total_seconds()


def backstop(hard: float | None, lease: timedelta) -> float | None:
    """Return the seconds that a task may take whose body has this limit: an end may take a lease."""
    return None if hard is None else hard + lease.total_seconds()
