"""Instants to come of many cron tickers, of which those with one timetable have the same: computed once."""

from collections.abc import Callable, Hashable
from datetime import datetime

from tickerq_celery.errors import TickerValidationError
from tickerq_celery.schedule.interval import EVERY
from tickerq_celery.schedule.timetable import Definition, timetable_of

NextAfter = Callable[[datetime], datetime | None]


class SharedInstants:
    """Finds the instants of cron tickers, which are asked for in the order of time, or nearly."""

    def __init__(self) -> None:
        self._known: dict[Hashable, NextAfter | None] = {}

    def next_after(self, cron: Definition) -> NextAfter | None:
        """Return what returns a cron ticker's first instant strictly after a moment, or None without any.

        None is returned where this machine cannot read its expression or its zone.
        """
        if EVERY in cron.expression.lower():
            return _next_after(cron)  # from a start of its own, and fast
        bounds = (cron.start_at, cron.end_at, cron.exclude)
        key = (cron.expression, cron.time_zone, cron.day_or, bounds)
        if key not in self._known:
            found = _next_after(cron)
            self._known[key] = None if found is None else _remembering(found)
        return self._known[key]


def _next_after(cron: Definition) -> NextAfter | None:
    try:
        return timetable_of(cron).next_after
    except TickerValidationError:
        return None


def _remembering(find: NextAfter) -> NextAfter:
    """Return the same, which does not compute again what the last answer says already."""
    asked: datetime | None = None
    answer: datetime | None = None

    def next_after(moment: datetime) -> datetime | None:
        nonlocal asked, answer
        is_known = asked is not None and asked <= moment and (answer is None or moment < answer)
        if not is_known:
            asked, answer = moment, find(moment)
        return answer

    return next_after
