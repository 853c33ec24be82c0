"""What a change of the clocks does to an instant of a cron expression, in a sentence for people."""

from datetime import datetime, timedelta

from tickerq_celery.cron import CronSchedule
from tickerq_celery.cron_zone import Shift, shift_at

_SECOND = timedelta(seconds=1)


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
