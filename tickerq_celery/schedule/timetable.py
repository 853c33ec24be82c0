"""A cron ticker's timetable: its expression or interval, within its bounds."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Protocol
from zoneinfo import ZoneInfo

from tickerq_celery.errors import TickerValidationError
from tickerq_celery.schedule.bounds import UNBOUNDED, Bounds
from tickerq_celery.schedule.cron_expression import CronSchedule, find_zone
from tickerq_celery.schedule.interval import Interval, every_in

_MOMENT = timedelta(microseconds=1)
_DAY = timedelta(days=1)


class Instants(Protocol):
    """A sequence of instants that can be entered anywhere; all moments are aware, answers are UTC."""

    @property
    def expression(self) -> str:
        """The normalised text that the instants come from."""

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first instant strictly after ``moment``, or None if there is none any more."""

    def latest_at_or_before(self, moment: datetime) -> datetime | None:
        """Return the last instant not after ``moment``, or None if there was none yet."""

    def count(self, since: datetime, until: datetime) -> int:
        """Return how many instants lie from ``since`` on and before ``until``, without walking over them."""


class Definition(Protocol):
    """When a cron ticker fires, as every row and view of one says it."""

    @property
    def expression(self) -> str:
        """A cron expression, or an interval."""

    @property
    def time_zone(self) -> str:
        """The name of the zone whose clocks the expression reads."""

    @property
    def day_or(self) -> bool:
        """Whether one day field is enough, where both are set."""

    @property
    def start_at(self) -> datetime | None:
        """From when on it fires."""

    @property
    def end_at(self) -> datetime | None:
        """Until when it fires."""

    @property
    def exclude(self) -> tuple[date, ...]:
        """On which dates it does not fire."""

    @property
    def created_at(self) -> datetime:
        """When it was stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timetable:
    """The instants from ``start_at`` to ``end_at``, both inclusive, but for excluded dates of ``zone``."""

    instants: Instants
    zone: ZoneInfo
    start_at: datetime | None = None
    end_at: datetime | None = None
    exclude: frozenset[date] = frozenset()

    @property
    def expression(self) -> str:
        """The normalised text of the expression or interval."""
        return self.instants.expression

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first instant strictly after ``moment``, or None if there is none any more."""
        if self.start_at is not None:
            moment = max(moment, self.start_at - _MOMENT)
        found = self.instants.next_after(moment)
        # Each round leaves an excluded date for good, and there are not many of them.
        while found is not None and (day := self._excluded(found)) is not None:
            found = self.instants.next_after(max(found, self._midnight(day + _DAY) - _MOMENT))
        return None if found is None or (self.end_at is not None and found > self.end_at) else found

    def latest_at_or_before(self, moment: datetime) -> datetime | None:
        """Return the last instant not after ``moment``, or None if there was none yet."""
        if self.end_at is not None:
            moment = min(moment, self.end_at)
        found = self.instants.latest_at_or_before(moment)
        while found is not None and (day := self._excluded(found)) is not None:
            found = self.instants.latest_at_or_before(min(found, self._midnight(day)) - _MOMENT)
        return None if found is None or (self.start_at is not None and found < self.start_at) else found

    def has(self, moment: datetime) -> bool:
        """Return True if ``moment`` is one of its instants."""
        return self.latest_at_or_before(moment) == moment

    def count(self, since: datetime, until: datetime) -> int:
        """Return how many instants lie from ``since`` on and before ``until``, without walking over them."""
        if self.start_at is not None:
            since = max(since, self.start_at)
        if self.end_at is not None:
            until = min(until, self.end_at + _MOMENT)
        if since >= until:
            return 0
        if not self.exclude:
            return self.instants.count(since, until)
        edges = pairwise([since, *self.edges(since, until), until])
        return sum(self.instants.count(*edge) for edge in edges if self._excluded(edge[0]) is None)

    def edges(self, first: datetime, until: datetime) -> list[datetime]:
        """Return the moments between two at which the bounds begin or cease to let instants through."""
        found = [] if self.start_at is None else [self.start_at]
        if self.end_at is not None and self.end_at < until:
            found.append(self.end_at + _MOMENT)
        begin, end = first.astimezone(self.zone).date(), until.astimezone(self.zone).date()
        for day in self.exclude:
            if begin <= day <= end:
                found += [self._midnight(day), self._midnight(day + _DAY)]
        return sorted(edge for edge in found if first < edge <= until)

    def _excluded(self, instant: datetime) -> date | None:
        if not self.exclude:
            return None
        day = instant.astimezone(self.zone).date()
        return day if day in self.exclude else None

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time.min, tzinfo=self.zone).astimezone(UTC)


def fire_alike(one: Instants, other: Instants) -> bool:
    """Whether two expressions or intervals mean the same instants, however they are written."""
    if isinstance(one, CronSchedule) and isinstance(other, CronSchedule):
        return one.times == other.times
    if isinstance(one, Interval) and isinstance(other, Interval):
        return one.every == other.every and (other.start - one.start) % one.every == timedelta(0)
    return False


def make_timetable(
    expression: str, *, time_zone: str, now: datetime, day_or: bool = False, bounds: Bounds = UNBOUNDED
) -> Timetable:
    """Return the timetable of an expression; an interval without ``start_at`` starts now.

    Raises:
        InvalidCronError: The expression cannot be parsed, or never fires.
        TickerValidationError: There is no such time zone, or the jitter is longer than the interval.
    """
    zone = find_zone(time_zone)
    start_at = bounds.start_at
    instants: Instants
    every = every_in(expression)
    if every is None:
        instants = CronSchedule.parse(expression, time_zone=time_zone, day_or=day_or)
    else:
        if bounds.jitter > every:
            raise TickerValidationError("jitter", bounds.jitter, f"longer than the interval, {every}")
        # On whole seconds, so that its instants read well.
        start_at = now.replace(microsecond=0) if start_at is None else start_at
        instants = Interval(every=every, start=start_at)
    return Timetable(
        instants=instants,
        zone=zone,
        start_at=start_at,
        end_at=bounds.end_at,
        exclude=frozenset(bounds.exclude),
    )


def timetable_of(definition: Definition) -> Timetable:
    """Return the timetable of a stored cron ticker.

    Raises:
        InvalidCronError: The expression cannot be parsed.
        TickerValidationError: There is no such time zone on this machine.
    """
    return make_timetable(
        definition.expression,
        time_zone=definition.time_zone,
        day_or=definition.day_or,
        now=definition.created_at,
        bounds=Bounds(start_at=definition.start_at, end_at=definition.end_at, exclude=definition.exclude),
    )
