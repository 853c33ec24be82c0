"""The DST rule: at which instants a wall-clock time of a zone runs; no other module decides it.

A change of offset either skips wall-clock times (a gap) or repeats them (a fold). Wild expressions follow
the instants: nothing is made up in a gap, and both passes of a fold count. For the others all that falls
into one gap runs once, at the first valid instant after it, and of a fold only the first pass counts.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from tickerq_celery.schedule.fields import FIRST_YEAR, LAST_YEAR, CronFields

_SECOND = timedelta(seconds=1)
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
    before, after = (_offset(wall.replace(tzinfo=zone, fold=fold)) for fold in (0, 1))
    if before == after:
        return None
    early, late = sorted(((wall - before).replace(tzinfo=UTC), (wall - after).replace(tzinfo=UTC)))
    # The zone's data are not public: bisect for the first instant with the new offset.
    low, high = 0, int((late - early) / _SECOND) + 1
    while low < high:
        middle = (low + high) // 2
        if _offset((early + middle * _SECOND).astimezone(zone)) == after:
            high = middle
        else:
            low = middle + 1
    return Shift((early + low * _SECOND).replace(microsecond=0), before, after)


def _offset(moment: datetime) -> timedelta:
    offset = moment.utcoffset()
    if offset is None:
        raise ValueError(f"naive datetime {moment}: pass an aware one")
    return offset
