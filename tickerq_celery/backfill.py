"""Backfill: the instants of a range of the past."""

from datetime import datetime, timedelta

from tickerq_celery.errors import TickerValidationError
from tickerq_celery.timetable import Instants

MOST_INSTANTS = 10_000
# Up to now is the past, also where the caller's clock is a little before the store's.
_SLACK = timedelta(seconds=1)


def instants_between(schedule: Instants, start: datetime, end: datetime, *, now: datetime) -> list[datetime]:
    """Return the instants from ``start`` on and before ``end``.

    Raises:
        TickerValidationError: The range is empty or not over yet, or holds more than 10,000 instants.
    """
    if end > now + _SLACK:
        raise TickerValidationError("end", end, f"only the past can be backfilled, it is {now}")
    end = min(end, now)
    if start >= end:
        raise TickerValidationError("start", start, f"pass a moment before the end, {end}")
    found: list[datetime] = []
    latest = schedule.latest_at_or_before(start)
    instant = start if latest == start else schedule.next_after(start)
    while instant is not None and instant < end:
        found.append(instant)
        if len(found) > MOST_INSTANTS:
            reason = f"more than {MOST_INSTANTS} instants from {start}: backfill it in parts"
            raise TickerValidationError("end", end, reason)
        instant = schedule.next_after(instant)
    return found
