"""Intervals: instants one fixed elapsed time apart, counted from a start; no change of clocks moves them."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tickerq_celery import validation
from tickerq_celery.errors import InvalidCronError, TickerValidationError

EVERY = "@every"
SHORTEST = timedelta(seconds=1)
LONGEST = timedelta(days=3650)
_SECOND = timedelta(seconds=1)
_LENGTH = re.compile(r"(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?")
_UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """The instants ``start``, ``start + every``, ``start + 2 * every`` and so on, in UTC."""

    every: timedelta
    start: datetime

    @property
    def expression(self) -> str:
        """The interval as it is stored."""
        return every_text(self.every)

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first instant strictly after ``moment``, or None at the end of the calendar."""
        if moment < self.start:
            return self.start
        try:
            return (self.start + ((moment - self.start) // self.every + 1) * self.every).astimezone(UTC)
        except OverflowError:
            return None

    def latest_at_or_before(self, moment: datetime) -> datetime | None:
        """Return the last instant not after ``moment``, or None before the start."""
        if moment < self.start:
            return None
        return (self.start + (moment - self.start) // self.every * self.every).astimezone(UTC)

    def count(self, since: datetime, until: datetime) -> int:
        """Return how many instants lie from ``since`` on and before ``until``."""
        return max(0, self._earlier(until) - self._earlier(since))

    def _earlier(self, moment: datetime) -> int:
        return max(0, -((self.start - moment) // self.every))


def checked_every(value: object) -> timedelta:
    """Return an interval of whole seconds, given as a timedelta or as seconds.

    Raises:
        TickerValidationError: It is neither, or shorter than a second, or longer than ten years.
    """
    return validation.duration("every", value, least=SHORTEST, most=LONGEST, step=_SECOND)


def expression_from(expression: str | None, every: object) -> str:
    """Return the expression that stands for the one of both that is given.

    Raises:
        InvalidCronError: Neither is given.
        TickerValidationError: Both are given, or ``every`` cannot be used.
    """
    if every is None:
        if expression is None:
            raise InvalidCronError(expression, "a cron expression is text: pass one, or every=")
        return expression
    if expression is not None:
        raise TickerValidationError("every", every, "pass a cron expression or every, not both")
    return every_text(checked_every(every))


def every_text(every: timedelta) -> str:
    """Return an interval as an expression, such as ``@every 1h30m``."""
    left = every // _SECOND
    parts = []
    for unit, length in _UNITS.items():
        count, left = divmod(left, length)
        if count:
            parts.append(f"{count}{unit}")
    return f"{EVERY} {''.join(parts)}"


def every_in(expression: object) -> timedelta | None:
    """Return the interval that an expression stands for; None where it is no interval.

    Raises:
        InvalidCronError: It begins like one, and cannot be read.
    """
    words = expression.split() if isinstance(expression, str) else []
    if not words or words[0].lower() != EVERY:
        return None
    match = _LENGTH.fullmatch(words[1].lower()) if len(words) == 2 else None
    counts = [int(count or 0) for count in match.groups()] if match is not None else [0]
    seconds = sum(count * length for count, length in zip(counts, _UNITS.values(), strict=False))
    if not SHORTEST <= timedelta(seconds=min(seconds, 10**12)) <= LONGEST:
        raise InvalidCronError(
            expression, f"write @every and a time such as 90s, 5m or 1h30m, at most {LONGEST.days}d"
        )
    return timedelta(seconds=seconds)
