"""What an expression will do: its next instants, by the code that the scheduler uses, and what to know."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from tickerq_celery.cron import NO_DAY, CronSchedule, as_utc, find_zone
from tickerq_celery.cron_notes import dst_note
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.interval import every_in
from tickerq_celery.timetable import Instants, make_timetable

LONGEST_PREVIEW = 1000
_SECOND = timedelta(seconds=1)
_BOTH_DAYS = {
    False: "both day fields are set: it fires only on days that match both",
    True: "both day fields are set: it fires on days that match either",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Upcoming:
    """One instant to come: in UTC, as the zone's clocks show it, and what a change of those did to it."""

    instant: datetime
    local: datetime
    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What an expression will do, oldest instant first, and what its writer may not expect."""

    expression: str
    time_zone: str
    upcoming: tuple[Upcoming, ...]
    warnings: tuple[str, ...]


def preview(
    expression: str, *, time_zone: str = "UTC", after: datetime, count: int = 10, day_or: bool = False
) -> list[datetime]:
    """Return the next ``count`` instants strictly after ``after`` in UTC; fewer where the expression ends.

    An interval is counted from ``after``.
    """
    start = as_utc("after", after)
    timetable = make_timetable(expression, time_zone=time_zone, day_or=day_or, now=start)
    return upcoming(timetable, after=start, count=count)


def upcoming(instants: Instants, *, after: datetime, count: int) -> list[datetime]:
    """Return the next ``count`` instants strictly after ``after``; fewer where they end.

    Raises:
        TickerValidationError: ``count`` is not from 1 to 1,000.
    """
    if type(count) is not int or not 1 <= count <= LONGEST_PREVIEW:
        raise TickerValidationError("count", count, f"must be a whole number from 1 to {LONGEST_PREVIEW}")
    found: list[datetime] = []
    moment: datetime | None = after
    while moment is not None and len(found) < count:
        moment = instants.next_after(moment)
        if moment is not None:
            found.append(moment)
    return found


def explain(
    expression: str, *, time_zone: str = "UTC", after: datetime, count: int = 10, day_or: bool = False
) -> Explanation:
    """Return the next instants with notes on changes of the clocks, and warnings.

    An expression that never fires is a warning here, not an error.

    Raises:
        InvalidCronError: The expression cannot be parsed.
        TickerValidationError: Another argument cannot be used.
    """
    start, zone = as_utc("after", after), find_zone(time_zone)
    instants: Instants
    if every_in(expression) is not None:
        instants = make_timetable(expression, time_zone=time_zone, now=start)
    else:
        instants = CronSchedule.read(expression, time_zone=time_zone, day_or=day_or)
    found = upcoming(instants, after=start, count=count)
    return Explanation(
        expression=instants.expression,
        time_zone=time_zone,
        upcoming=tuple(_noted(instants, zone, [start, *found])),
        warnings=tuple(_warnings(instants, found)),
    )


def _noted(instants: Instants, zone: ZoneInfo, moments: list[datetime]) -> Iterator[Upcoming]:
    for before, instant in pairwise(moments):
        note = None
        if isinstance(instants, CronSchedule):
            note = dst_note(instants, before=before, instant=instant)
        yield Upcoming(instant=instant, local=instant.astimezone(zone), note=note)


def _warnings(instants: Instants, found: list[datetime]) -> Iterator[str]:
    if isinstance(instants, CronSchedule):
        if instants.is_empty:
            yield f"never fires: {NO_DAY}"
        elif not found:
            yield "never fires any more: all that it names is skipped by the clocks"
        if instants.sets_both_days:
            yield _BOTH_DAYS[instants.day_or]
    if any(later - earlier <= _SECOND for earlier, later in pairwise(found)):
        yield "fires every second: each time is a row, a message and a run"
