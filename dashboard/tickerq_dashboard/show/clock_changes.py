"""When the clocks of a time zone change."""

from collections.abc import Iterator
from datetime import datetime, timedelta, tzinfo

_DAY, _SECOND = timedelta(days=1), timedelta(seconds=1)
LOOKED_AHEAD = 400


def clock_changes(
    zone: tzinfo, since: datetime, days: int = LOOKED_AHEAD
) -> Iterator[tuple[datetime, timedelta]]:
    """Yield each change of a zone's offset in some days: its moment, and by how much the clocks move."""
    low = since.replace(microsecond=0)
    before = _offset(low, zone)
    for _ in range(days):
        high = low + _DAY
        after = _offset(high, zone)
        if before != after:
            yield _moment_between(low, high, before, zone), after - before
        low, before = high, after


def _moment_between(low: datetime, high: datetime, before: timedelta, zone: tzinfo) -> datetime:
    while high - low > _SECOND:
        middle = low + (high - low) // 2
        middle = middle.replace(microsecond=0)
        if middle <= low:
            break
        if _offset(middle, zone) == before:
            low = middle
        else:
            high = middle
    return high


def _offset(moment: datetime, zone: tzinfo) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta(0)
