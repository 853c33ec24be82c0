"""The windows that figures are of: whole hours in UTC, or shorter periods of late, and steps of these."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from tickerq_celery import validation
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.tickers.tallies import GRAINS, HOUR, HOURS, MINUTES, Grain
from tickerq_celery.wording import exactly, moment

DEFAULT = timedelta(days=1)
MOST = timedelta(days=400)
MOST_POINTS = 400
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodWindow:
    """The periods from ``since`` up to ``until``."""

    since: datetime
    until: datetime
    grain: Grain = HOURS

    def points(self, step: timedelta) -> Iterator[datetime]:
        """Yield the beginning of each step; the last one may reach beyond the window."""
        at = self.since
        while at < self.until:
            yield at
            at += step

    def point_of(self, moment: datetime, step: timedelta) -> datetime:
        """Return the beginning of the step that a moment is in."""
        return self.since + (moment - self.since) // step * step


def window_of(
    since: object, until: object, *, now: datetime, default: timedelta = DEFAULT, grain: Grain = HOURS
) -> PeriodWindow:
    """Return the whole periods that ``since`` (inclusive) and ``until`` (exclusive) are in.

    Unless it is given, or where it is later, ``until`` is the end of the present period; ``since`` is a
    ``default`` before it, or before now.

    Raises:
        TickerValidationError: One is no aware moment, ``since`` is not before ``until``, there are more than
            400 days between them, or such periods are not kept for so long.
    """
    asked = now if until is None else min(now, validation.moment("until", until))
    end = grain.begin_of(now) + grain.length if asked == now else _next(asked, grain)
    begin = asked - default if since is None else validation.moment("since", since)
    if begin >= end:
        raise TickerValidationError("since", since, f"must be before until, which is {moment(end)}")
    window = PeriodWindow(since=grain.begin_of(begin), until=end, grain=grain)
    if window.until - window.since > MOST + 2 * HOUR:
        raise TickerValidationError("since", since, f"pass a window of at most {MOST.days} days")
    if not grain.keeps(window.since, now):
        kept = "" if grain.kept is None else f" {exactly(grain.kept)}"
        reason = f"such a step is there for the last{kept}: pass a later moment, or a step of whole hours"
        raise TickerValidationError("since", since, reason)
    return window


def grain_of(step: object, function: str | None = None) -> Grain:
    """Return the longest periods that make up a step: hours where there is none.

    Raises:
        TickerValidationError: It is no whole number of minutes; or it is of shorter periods than hours, and
            a function is asked about.
    """
    if step is None:
        return HOURS
    found = validation.duration("step", step, least=MINUTES.length, most=MOST, step=MINUTES.length)
    grain = next(each for each in GRAINS if not found % each.length)
    if function is not None and grain is not HOURS:
        raise TickerValidationError("step", step, "of one function, pass whole hours")
    return grain


def step_of(step: object, window: PeriodWindow) -> timedelta:
    """Return the step of a series: an hour, or a day where that made too many points, unless it is given.

    Raises:
        TickerValidationError: It is no whole number of the window's periods, or makes more than 400 points.
    """
    length = window.until - window.since
    if step is None:
        return HOUR if length <= MOST_POINTS * HOUR else _DAY
    least = window.grain.length
    found = validation.duration("step", step, least=least, most=MOST, step=least)
    if -(-length // found) > MOST_POINTS + 1:
        raise TickerValidationError("step", step, f"makes more than {MOST_POINTS} points: pass a longer step")
    return found


def _next(moment: datetime, grain: Grain) -> datetime:
    begin = grain.begin_of(moment)
    return begin if begin == moment else begin + grain.length
