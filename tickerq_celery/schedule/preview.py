"""What an expression will do: its next instants, by the code that the scheduler uses, and what to know."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from tickerq_celery import validation
from tickerq_celery.schedule.cron_expression import NO_DAY, NO_TIME, CronSchedule, find_zone
from tickerq_celery.schedule.dst import Shift, shift_at
from tickerq_celery.schedule.interval import every_in
from tickerq_celery.schedule.sentence import sentence_of
from tickerq_celery.schedule.timetable import Instants, make_timetable

_SECOND = timedelta(seconds=1)
LONGEST_PREVIEW = 1000
_BOTH_DAYS = "both day fields are set: it fires only on days that match both"
_EITHER_DAY = "both day fields are set: it fires on days that match either"
_STARRED_DAY = (
    "both day fields are set, and one begins with a star: as in Unix it fires only on days that match both"
)


def dst_note(schedule: CronSchedule, *, before: datetime, instant: datetime) -> str | None:
    """Return what the clocks did to ``instant``, or to the times since ``before``; None where nothing.

    ``before`` is the moment that ``instant`` is the first one after.
    """
    times = schedule.times
    wall = instant.astimezone(times.zone).replace(tzinfo=None)
    return _fold_note(schedule, wall, instant) or _gap_note(schedule, before, instant)


def _fold_note(schedule: CronSchedule, wall: datetime, instant: datetime) -> str | None:
    fold = shift_at(schedule.times.zone, wall)
    if fold is None or fold.is_gap:
        return None
    if not schedule.times.is_wild:
        return f"the clocks repeat {_span(fold)}: it runs in the first pass only"
    which = "first" if instant < fold.at else "second"
    return f"the clocks repeat {_span(fold)}: this is the {which} pass, and it runs in both"


def _gap_note(schedule: CronSchedule, before: datetime, instant: datetime) -> str | None:
    times = schedule.times
    start = before.astimezone(times.zone).replace(tzinfo=None, microsecond=0) + _SECOND
    named = times.fields.at_or_after(start)
    gap = None if named is None else shift_at(times.zone, named)
    if gap is None or not gap.is_gap or gap.at > instant:
        return None
    if times.is_wild:
        return f"the clocks skip {_span(gap)}: what falls into it does not run"
    return f"the clocks skip {_span(gap)}: what falls into it runs once, at the first valid instant"


def _span(shift: Shift) -> str:
    return f"{shift.low:%H:%M} to {shift.high:%H:%M} on {shift.low:%Y-%m-%d}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upcoming:
    """One instant to come: in UTC, as the zone's clocks show it, and what a change of those did to it."""

    instant: datetime
    local: datetime
    note: str | None


def preview(
    expression: str, *, time_zone: str = "UTC", after: datetime, count: int = 10, day_or: bool = False
) -> list[datetime]:
    """Return the next ``count`` instants strictly after ``after`` in UTC; fewer where the expression ends.

    An interval is counted from ``after``.
    """
    start = validation.moment("after", after)
    timetable = make_timetable(
        expression, time_zone=time_zone, day_or=validation.flag("day_or", day_or), now=start
    )
    return upcoming(timetable, after=start, count=count)


def upcoming(
    instants: Instants, *, after: datetime, count: int, but: Collection[datetime] = ()
) -> list[datetime]:
    """Return the next ``count`` instants strictly after ``after``, without some; fewer where they end.

    Raises:
        TickerValidationError: ``count`` is not from 1 to 1,000.
    """
    validation.whole("count", count, 1, LONGEST_PREVIEW)
    found: list[datetime] = []
    moment: datetime | None = after
    while moment is not None and len(found) < count:
        moment = instants.next_after(moment)
        if moment is not None and moment not in but:
            found.append(moment)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What an expression will do, in words and oldest instant first, and what its writer may not expect."""

    expression: str
    words: str
    time_zone: str
    upcoming: tuple[Upcoming, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillPreview:
    """The instants of a span, and those ``missing``: they have no occurrence, and a backfill makes it."""

    instants: tuple[datetime, ...]
    missing: tuple[datetime, ...]


def explain(
    expression: str, *, time_zone: str = "UTC", after: datetime, count: int = 10, day_or: bool = False
) -> Explanation:
    """Return the next instants with notes on changes of the clocks, and warnings.

    An expression that never fires is a warning here, not an error.

    Raises:
        InvalidCronError: The expression cannot be parsed.
        TickerValidationError: Another argument cannot be used.
    """
    start, zone = validation.moment("after", after), find_zone(time_zone)
    instants: Instants
    if every_in(expression) is not None:
        instants = make_timetable(expression, time_zone=time_zone, now=start)
    else:
        day_or = validation.flag("day_or", day_or)
        instants = CronSchedule.read(expression, time_zone=time_zone, day_or=day_or)
    found = upcoming(instants, after=start, count=count)
    return Explanation(
        expression=instants.expression,
        words=sentence_of(instants.expression, day_or=day_or),
        time_zone=time_zone,
        upcoming=tuple(_noted(instants, zone, [start, *found])),
        warnings=tuple(_warnings(instants, is_over=not found)),
    )


def _noted(instants: Instants, zone: ZoneInfo, moments: list[datetime]) -> Iterator[Upcoming]:
    for before, instant in pairwise(moments):
        note = None
        if isinstance(instants, CronSchedule):
            note = dst_note(instants, before=before, instant=instant)
        yield Upcoming(instant=instant, local=instant.astimezone(zone), note=note)


def _warnings(instants: Instants, *, is_over: bool) -> Iterator[str]:
    if isinstance(instants, CronSchedule):
        if instants.is_empty:
            yield f"never fires: {NO_DAY}"
        elif is_over:
            yield f"never fires any more: {NO_TIME}"
        yield from _day_rule(instants)
    if _has_neighbours(instants):
        yield "fires in seconds that follow one another: each time is a row, a message and a run"


def _day_rule(schedule: CronSchedule) -> Iterator[str]:
    """Say how two day fields combine; one that begins with a star, as ``*/2`` does, never lets either do."""
    if schedule.sets_both_days:
        yield _EITHER_DAY if schedule.day_or else _BOTH_DAYS
    elif schedule.times.fields.restricts_both_days:
        yield _STARRED_DAY if schedule.day_or else _BOTH_DAYS


def _has_neighbours(instants: Instants) -> bool:
    """Whether two instants may be no more than a second apart."""
    if not isinstance(instants, CronSchedule):
        return every_in(instants.expression) == _SECOND
    fields = instants.times.fields
    over_the_minute = {0, 59} <= set(fields.seconds) and _has_steps_of_one(fields.minutes)
    return over_the_minute or _has_steps_of_one(fields.seconds)


def _has_steps_of_one(numbers: Sequence[int]) -> bool:
    return any(later - earlier == 1 for earlier, later in pairwise(numbers))
