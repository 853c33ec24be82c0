"""When a ticker asks to run: at a moment, or some time after it was added."""

from datetime import datetime, timedelta

from tickerq_celery import validation
from tickerq_celery.errors import TickerValidationError

_LONGEST_DELAY = timedelta(days=36_525)


def asked_moment(execution_time: object, delay: object, *, now: datetime) -> datetime | None:
    """Return the moment that a ticker names, a ``delay`` counted from ``now``; None where it names none.

    Raises:
        TickerValidationError: It names both, or one that cannot be used.
    """
    if delay is None:
        return None if execution_time is None else validation.moment("execution_time", execution_time)
    if execution_time is not None:
        raise TickerValidationError("delay", delay, "pass execution_time or delay, not both")
    return now + validation.duration("delay", delay, most=_LONGEST_DELAY)
