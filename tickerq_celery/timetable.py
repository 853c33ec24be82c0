"""When a cron ticker runs: by its cron expression, or at one fixed elapsed time after another."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from tickerq_celery.cron import CronSchedule
from tickerq_celery.errors import InvalidCronError

EVERY = "@every"
LONGEST_INTERVAL = timedelta(days=3650)
_SECOND = timedelta(seconds=1)
_INTERVAL = re.compile(rf"{EVERY} (\d{{1,9}})s")


class Timetable(Protocol):
    """Instants that can be entered anywhere; all moments are aware, answers are UTC."""

    @property
    def expression(self) -> str:
        """The text that the instants come from."""

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first instant strictly after ``moment``, or None if there is none any more."""

    def latest_at_or_before(self, moment: datetime) -> datetime | None:
        """Return the last instant not after ``moment``, or None if there was none yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """The instants one, two and more times ``every`` after ``start``; no change of clocks moves them."""

    every: timedelta
    start: datetime

    @property
    def expression(self) -> str:
        """The interval as it is stored."""
        return every_text(self.every)

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first instant strictly after ``moment``, or None at the end of the calendar."""
        periods = max(0, (moment - self.start) // self.every) + 1
        try:
            return (self.start + periods * self.every).astimezone(UTC)
        except OverflowError:
            return None

    def latest_at_or_before(self, moment: datetime) -> datetime | None:
        """Return the last instant not after ``moment``, or None before the first."""
        periods = (moment - self.start) // self.every
        return None if periods < 1 else (self.start + periods * self.every).astimezone(UTC)


def every_text(every: timedelta) -> str:
    """Return an interval of whole seconds as an expression, such as ``@every 90s``."""
    return f"{EVERY} {every // _SECOND}s"


def make_timetable(expression: str, *, time_zone: str, now: datetime, day_or: bool = False) -> Timetable:
    """Return the timetable of an expression; an interval counts from ``now``, on whole seconds.

    Raises:
        InvalidCronError: The expression cannot be parsed, or never fires.
        TickerValidationError: There is no such time zone.
    """
    # What is no text at all, the cron grammar refuses.
    words = str(expression).split()
    if words[:1] != [EVERY]:
        return CronSchedule.parse(expression, time_zone=time_zone, day_or=day_or)
    match = _INTERVAL.fullmatch(" ".join(words))
    every = timedelta(seconds=int(match[1])) if match is not None else timedelta(0)
    if not _SECOND <= every <= LONGEST_INTERVAL:
        raise InvalidCronError(expression, f"write {EVERY} 90s: 1 second to {LONGEST_INTERVAL.days} days")
    return Interval(every=every, start=now.replace(microsecond=0))


def timetable_of(cron: Mapping[str, Any]) -> Timetable:
    """Return the timetable of a cron ticker's row; an interval counts from the row's creation.

    Raises:
        InvalidCronError: The row's expression cannot be parsed.
        TickerValidationError: There is no such time zone on this machine.
    """
    return make_timetable(
        cron["expression"], time_zone=cron["time_zone"], day_or=cron["day_or"], now=cron["created_at"]
    )
