"""The DST rule: at which instants a wall-clock time of a zone runs; no other module decides it.

A change of offset either skips wall-clock times (a gap) or repeats them (a fold). Wild expressions follow
the instants: nothing is made up in a gap, and both passes of a fold count. For the others all that falls
into one gap runs once, at the first valid instant after it, and of a fold only the first pass counts.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from tickerq_celery.schedule.fields import FIRST_YEAR, LAST_YEAR, CronFields

_SECOND = timedelta(seconds=1)
_WEEK = timedelta(days=7)
# The calendar with its weekdays repeats itself after 400 years, and by then the clocks of each zone do.
_CYCLE, _SETTLED = timedelta(days=146_097), datetime(2100, 1, 1, tzinfo=UTC)
# Half a day, and the greatest offset of a zone: all of a day is as near to its noon.
_AROUND = timedelta(hours=30)
_GAPS_AT_MOST = 100  # some expressions name nothing but skipped times; the search must end for them too


@dataclass(frozen=True, slots=True)
class Shift:
    """One change of a zone's offset; wall-clock times from ``low`` up to ``high`` are skipped or repeated."""

    at: datetime
    before: timedelta
    after: timedelta

    @property
    def is_gap(self) -> bool:
        """Whether the wall-clock times are skipped, rather than repeated."""
        return self.after > self.before

    @property
    def low(self) -> datetime:
        """The first wall-clock time concerned."""
        return (self.at + min(self.before, self.after)).replace(tzinfo=None)

    @property
    def high(self) -> datetime:
        """The first wall-clock time no longer concerned."""
        return (self.at + max(self.before, self.after)).replace(tzinfo=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ZonedFields:
    """Cron fields in a zone; all instants are aware UTC."""

    fields: CronFields
    zone: ZoneInfo
    is_wild: bool

    def first_after(self, moment: datetime) -> datetime | None:
        """Return the first instant that is strictly later than ``moment``."""
        if not FIRST_YEAR <= moment.year <= LAST_YEAR:
            return None
        wall = self._wall(moment)
        start = wall.replace(microsecond=0) + _SECOND
        fold = self._fold_at(wall)
        if fold is None:
            found = self._existing_from(start)
        elif self.is_wild:
            found = self._existing_from(start)
            if moment < fold.at and (found is None or found >= fold.high):
                found = self._existing_from(fold.low)
        else:
            found = self._existing_from(start if moment < fold.at else fold.high)
        return None if found is None else min(at for at in self._instants(found) if at > moment)

    def last_until(self, moment: datetime) -> datetime | None:
        """Return the last instant that is not later than ``moment``."""
        if not FIRST_YEAR <= moment.year <= LAST_YEAR:
            return None
        wall = self._wall(moment)
        start = wall.replace(microsecond=0)
        fold = self._fold_at(wall)
        if fold is None or moment < fold.at:
            found = self._existing_until(start)
        elif self.is_wild:
            found = self._existing_until(start)
            if found is None or found < fold.low:
                found = self._existing_until(fold.high - _SECOND)
        else:
            found = self._existing_until(fold.high - _SECOND)
        return None if found is None else max(at for at in self._instants(found) if at <= moment)

    def count(self, since: datetime, until: datetime) -> int:
        """Return how many instants lie from ``since`` on and before ``until``, without walking over them."""
        since, until = _whole(since), _whole(until)
        cycles = max(0, (until - max(since, _SETTLED)) // _CYCLE)
        rest = until - cycles * _CYCLE
        of_a_cycle = self._count(rest, rest + _CYCLE) if cycles else 0
        return self._count(since, rest) + cycles * of_a_cycle

    def _count(self, since: datetime, until: datetime) -> int:
        begin, count = self._wall(since), 0
        fold = self._fold_at(begin)
        if fold is not None and since >= fold.at and not self.is_wild:
            begin = fold.high
        for shift in _shifts(self.zone, since, until):
            if shift.at > since:
                count += self.fields.count(begin, (shift.at + shift.before).replace(tzinfo=None))
            begin = shift.high if shift.is_gap or not self.is_wild else shift.low
            count += self._runs_for_gap(shift)
        # By the offset before it: a change of offset at ``until`` itself is none of these.
        return count + self.fields.count(begin, self._wall(until - _SECOND) + _SECOND)

    def _runs_for_gap(self, shift: Shift) -> int:
        """Return 1 where the end of a gap is an instant only for what falls into the gap."""
        is_named = self.fields.count(shift.high, shift.high + _SECOND)
        if self.is_wild or not shift.is_gap or is_named:
            return 0
        return min(1, self.fields.count(shift.low, shift.high))

    def _wall(self, moment: datetime) -> datetime:
        return moment.astimezone(self.zone).replace(tzinfo=None)

    def _fold_at(self, wall: datetime) -> Shift | None:
        shift = shift_at(self.zone, wall)
        return None if shift is None or shift.is_gap else shift

    def _existing_from(self, wall: datetime) -> datetime | None:
        for _ in range(_GAPS_AT_MOST):
            found = self.fields.at_or_after(wall)
            gap = self._gap_to_leave_out(found)
            if gap is None:
                return found
            wall = gap.high
        return None

    def _existing_until(self, wall: datetime) -> datetime | None:
        for _ in range(_GAPS_AT_MOST):
            found = self.fields.at_or_before(wall)
            gap = self._gap_to_leave_out(found)
            if gap is None:
                return found
            wall = gap.low - _SECOND
        return None

    def _gap_to_leave_out(self, wall: datetime | None) -> Shift | None:
        if wall is None or not self.is_wild:
            return None
        shift = shift_at(self.zone, wall)
        return shift if shift is not None and shift.is_gap else None

    def _instants(self, wall: datetime) -> tuple[datetime, ...]:
        shift = shift_at(self.zone, wall)
        if shift is None:
            return (wall.replace(tzinfo=self.zone).astimezone(UTC),)
        if shift.is_gap:
            return (shift.at,)
        first, second = ((wall - offset).replace(tzinfo=UTC) for offset in (shift.before, shift.after))
        return (first, second) if self.is_wild else (first,)


def shift_at(zone: ZoneInfo, wall: datetime) -> Shift | None:
    """Return the change of offset that skips or repeats ``wall``, or None for an ordinary wall-clock time."""
    if _has_one_offset(zone, wall.date()):
        return None
    before, after = (_offset(wall.replace(tzinfo=zone, fold=fold)) for fold in (0, 1))
    if before == after:
        return None
    early, late = sorted(((wall - before).replace(tzinfo=UTC), (wall - after).replace(tzinfo=UTC)))
    return Shift(_first_with(after, zone, early, late), before, after)


@lru_cache(maxsize=4_096)
def _has_one_offset(zone: ZoneInfo, day: date) -> bool:
    """Return True if the offset is the same all over a day: no zone has changed it and back in three days.

    Most days are so, and an outlook asks of each thousands of times.
    """
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    early, late = ((noon + days).astimezone(zone) for days in (-_AROUND, _AROUND))
    return early.utcoffset() == late.utcoffset()


def _shifts(zone: ZoneInfo, since: datetime, until: datetime) -> Iterator[Shift]:
    """Yield the changes of offset from ``since`` on and before ``until``; no zone has two in a week."""
    early = since - _SECOND
    while early < until - _SECOND:
        late = min(early + _WEEK, until - _SECOND)
        before, after = (_offset(each.astimezone(zone)) for each in (early, late))
        if before != after:
            yield Shift(_first_with(after, zone, early, late), before, after)
        early = late


def _first_with(offset: timedelta, zone: ZoneInfo, early: datetime, late: datetime) -> datetime:
    """Return the first moment between two that has this offset; the zone's data are not public: bisect."""
    low, high = 0, int((late - early) / _SECOND) + 1
    while low < high:
        middle = (low + high) // 2
        if _offset((early + middle * _SECOND).astimezone(zone)) == offset:
            high = middle
        else:
            low = middle + 1
    return (early + low * _SECOND).replace(microsecond=0)


def _whole(moment: datetime) -> datetime:
    """Return the first whole second that is not before a moment."""
    return moment if not moment.microsecond else moment.replace(microsecond=0) + _SECOND


def _offset(moment: datetime) -> timedelta:
    offset = moment.utcoffset()
    if offset is None:
        raise ValueError(f"naive datetime {moment}: pass an aware one")
    return offset
