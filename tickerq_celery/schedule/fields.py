"""Which wall-clock times a parsed cron expression means; knows neither text nor time zones."""

import calendar
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import lru_cache

FIRST_YEAR = 2  # one year of room at both ends, so that a zone's offset never leaves datetime's range
LAST_YEAR = 9998
_COMMON_AND_LEAP_YEAR = (2023, 2024)
_SATURDAY, _SUNDAY = 5, 6  # counted from Monday, as `calendar` does
_EVERY_SEVENTH_DAY = sum(1 << day for day in range(0, 29, 7))


@dataclass(frozen=True, slots=True)
class NthWeekday:
    """The nth such weekday of a month (Sunday is 0); None means the last one."""

    weekday: int
    nth: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CronFields:
    """The numbers of a cron expression, each tuple sorted; ``either_day``: one day field is enough.

    A workday is one from Monday to Friday, and the nearest one to a day lies in the same month.
    """

    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    last_day: bool
    last_workday: bool
    nearest_workdays: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]
    nth_weekdays: tuple[NthWeekday, ...]
    either_day: bool
    # The matching days by a month's first weekday and length: a search may look at hundreds of months.
    _days: dict[tuple[int, int], int] = field(default_factory=dict, init=False, repr=False, compare=False)

    def ever_match(self) -> bool:
        """Return True if any month, of whatever length and first weekday, has a matching day."""
        return any(
            self._days_of(first_weekday, length)
            for month in self.months
            for length in {calendar.monthrange(year, month)[1] for year in _COMMON_AND_LEAP_YEAR}
            for first_weekday in range(7)
        )

    def at_or_after(self, wall: datetime) -> datetime | None:
        """Return the first matching wall-clock time from ``wall`` (whole seconds) on."""
        wheels = (self.hours, self.minutes, self.seconds)
        if self._matches_day(wall):
            clock = _first_from(wheels, (wall.hour, wall.minute, wall.second))
            if clock is not None:
                return _combine(wall, clock)
        day = next(self._days_after(wall), None)
        return None if day is None else _combine(day, [wheel[0] for wheel in wheels])

    def at_or_before(self, wall: datetime) -> datetime | None:
        """Return the last matching wall-clock time up to ``wall`` (whole seconds)."""
        wheels = (self.hours, self.minutes, self.seconds)
        if self._matches_day(wall):
            # The last up to a value is the first from its negative on, among the negatives.
            mirrored = tuple(tuple(-value for value in reversed(wheel)) for wheel in wheels)
            clock = _first_from(mirrored, (-wall.hour, -wall.minute, -wall.second))
            if clock is not None:
                return _combine(wall, [-value for value in clock])
        day = next(self._days_before(wall), None)
        return None if day is None else _combine(day, [wheel[-1] for wheel in wheels])

    def count(self, since: datetime, until: datetime) -> int:
        """Return how many matching wall-clock times lie from ``since`` on and before ``until``."""
        if until <= since:
            return 0
        of_a_day = len(self.hours) * len(self.minutes) * len(self.seconds)
        days = self._count_days(since.date(), until.date())
        return of_a_day * days + self._earlier_that_day(until) - self._earlier_that_day(since)

    @property
    def restricts_both_days(self) -> bool:
        """Whether each of the day fields leaves some days out."""
        return len(self.days) < 31 and (bool(self.nth_weekdays) or len(self.weekdays) < 7)

    def _matches_day(self, day: date) -> bool:
        return day.month in self.months and bool(self._days_in(day.year, day.month) >> day.day & 1)

    def _earlier_that_day(self, wall: datetime) -> int:
        """Return how many matching times its day has before a wall-clock time."""
        if not self._matches_day(wall):
            return 0
        wheels = ((self.hours, wall.hour), (self.minutes, wall.minute), (self.seconds, wall.second))
        count, weight = 0, len(self.hours) * len(self.minutes) * len(self.seconds)
        for wheel, value in wheels:
            weight //= len(wheel)
            count += bisect_left(wheel, value) * weight
            if value not in wheel:
                break
        return count

    def _count_days(self, first: date, end: date) -> int:
        """Return how many matching days lie from ``first`` on and before ``end``."""
        count, day = 0, first
        while day < end:
            length = calendar.monthrange(day.year, day.month)[1]
            behind = min(end, day.replace(day=length) + timedelta(days=1))
            if day.month in self.months:
                last = length if behind.day == 1 else behind.day - 1
                days = self._days_in(day.year, day.month) & ((1 << last + 1) - 1) >> day.day << day.day
                count += days.bit_count()
            day = behind
        return count

    def _days_after(self, day: date) -> Iterator[date]:
        for year in range(day.year, LAST_YEAR + 1):
            for month in self.months:
                if (year, month) >= (day.year, day.month):
                    days = self._days_in(year, month)
                    if (year, month) == (day.year, day.month):
                        days = days >> (day.day + 1) << (day.day + 1)
                    if days:
                        yield date(year, month, (days & -days).bit_length() - 1)

    def _days_before(self, day: date) -> Iterator[date]:
        for year in range(day.year, FIRST_YEAR - 1, -1):
            for month in reversed(self.months):
                if (year, month) <= (day.year, day.month):
                    days = self._days_in(year, month)
                    if (year, month) == (day.year, day.month):
                        days &= (1 << day.day) - 1
                    if days:
                        yield date(year, month, days.bit_length() - 1)

    def _days_in(self, year: int, month: int) -> int:
        return self._days_of(*_month(year, month))

    def _days_of(self, first_weekday: int, length: int) -> int:
        """Return the matching days of a month as bits; ``first_weekday`` counts from Monday on."""
        days = self._days.get((first_weekday, length))
        if days is None:
            days = self._days[first_weekday, length] = self._found_days(first_weekday, length)
        return days

    def _found_days(self, first_weekday: int, length: int) -> int:
        by_number = self._by_number(first_weekday, length)
        by_weekday = self._by_weekday(first_weekday, length)
        both = by_number | by_weekday if self.either_day else by_number & by_weekday
        return both & ((1 << (length + 1)) - 2)

    def _by_number(self, first_weekday: int, length: int) -> int:
        days = {*self.days, length} if self.last_day else {*self.days}
        # The last workday is the nearest one to the last day.
        named = {*self.nearest_workdays, length} if self.last_workday else {*self.nearest_workdays}
        days |= {_nearest_workday(day, first_weekday, length) for day in named if day <= length}
        return sum(1 << day for day in days)

    def _by_weekday(self, first_weekday: int, length: int) -> int:
        found = sum(
            _EVERY_SEVENTH_DAY << _first_such_day(weekday, first_weekday) for weekday in self.weekdays
        )
        for item in self.nth_weekdays:
            first = _first_such_day(item.weekday, first_weekday)
            weeks = (length - first) // 7 if item.nth is None else item.nth - 1
            found |= 1 << (first + 7 * weeks)
        return found


# Instants that are computed one after the other ask of the same few months.
_month = lru_cache(maxsize=1_024)(calendar.monthrange)


def _combine(day: date, clock: Sequence[int]) -> datetime:
    hour, minute, second = clock
    return datetime.combine(day, time(hour, minute, second))


def _first_such_day(weekday: int, first_weekday: int) -> int:
    return 1 + (weekday - 1 - first_weekday) % 7


def _nearest_workday(day: int, first_weekday: int, length: int) -> int:
    weekday = (first_weekday + day - 1) % 7
    if weekday == _SATURDAY:
        return day - 1 if day > 1 else day + 2
    if weekday == _SUNDAY:
        return day + 1 if day < length else day - 2
    return day


def _first_from(wheels: Sequence[Sequence[int]], target: Sequence[int]) -> tuple[int, ...] | None:
    """Return the least combination that is not below ``target``, most significant wheel first."""
    wheel, *rest = wheels
    start = bisect_left(wheel, target[0])
    if start == len(wheel):
        return None
    if wheel[start] == target[0]:
        if not rest:
            return (wheel[start],)
        tail = _first_from(rest, target[1:])
        if tail is not None:
            return (wheel[start], *tail)
        start += 1
    if start == len(wheel):
        return None
    return (wheel[start], *(lower[0] for lower in rest))
