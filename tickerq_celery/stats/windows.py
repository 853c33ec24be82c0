"""The windows that figures are of: whole hours in UTC, and steps of whole hours."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from tickerq_celery import validation
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.tickers.tallies import HOUR, hour_of
from tickerq_celery.wording import moment

DEFAULT = timedelta(days=1)
MOST = timedelta(days=400)
MOST_POINTS = 400
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The hours from ``since`` up to ``until``."""

    since: datetime
    until: datetime

    def points(self, step: timedelta) -> Iterator[datetime]:
        """Yield the beginning of each step; the last one may reach beyond the window."""
        at = self.since
        while at < self.until:
            yield at
            at += step

    def point_of(self, moment: datetime, step: timedelta) -> datetime:
        """Return the beginning of the step that a moment is in."""
        return self.since + (moment - self.since) // step * step

    @property
    def hours(self) -> int:
        """How many hours it has."""
        return (self.until - self.since) // HOUR


def window_of(since: object, until: object, *, now: datetime, default: timedelta = DEFAULT) -> Window:
    """Return the whole hours that ``since`` (inclusive) and ``until`` (exclusive) are in.

    Unless it is given, or where it is later, ``until`` is the end of the present hour; ``since`` is a
    ``default`` before it, or before now.

    Raises:
        TickerValidationError: One is no aware moment, ``since`` is not before ``until``, or there are more
            than 400 days between them.
    """
    asked = now if until is None else min(now, validation.moment("until", until))
    end = hour_of(now) + HOUR if asked == now else _next_hour(asked)
    begin = asked - default if since is None else validation.moment("since", since)
    if begin >= end:
        raise TickerValidationError("since", since, f"must be before until, which is {moment(end)}")
    window = Window(since=hour_of(begin), until=end)
    if window.until - window.since > MOST + 2 * HOUR:
        raise TickerValidationError("since", since, f"pass a window of at most {MOST.days} days")
    return window


def step_of(step: object, window: Window) -> timedelta:
    """Return the step of a series: an hour, or a day where that made too many points, unless it is given.

    Raises:
        TickerValidationError: It is not a whole number of hours, or there were more than 400 points.
    """
    if step is None:
        return HOUR if window.hours <= MOST_POINTS else _DAY
    found = validation.duration("step", step, least=HOUR, most=MOST, step=HOUR)
    if -(-window.hours * HOUR // found) > MOST_POINTS + 1:
        raise TickerValidationError("step", step, f"makes more than {MOST_POINTS} points: pass a longer step")
    return found


def _next_hour(moment: datetime) -> datetime:
    begin = hour_of(moment)
    return begin if begin == moment else begin + HOUR
