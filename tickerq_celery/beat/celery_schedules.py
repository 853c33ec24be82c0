"""Celery's own schedules, as the expressions of cron tickers."""

import re
from collections.abc import Collection
from datetime import UTC, timedelta, tzinfo
from itertools import groupby
from typing import Any

from celery.schedules import BaseSchedule, crontab, schedule

from tickerq_celery.schedule.interval import LONGEST, every_text

_SECOND = timedelta(seconds=1)
# Two numbers are no shorter as a range.
_SHORTEST_RANGE = 3
_STAR = re.compile(r"\*(?:/(\d+))?")
# What Celery rounds a relative interval to, as a cron expression with room for the step.
_ROUNDED = (
    (timedelta(days=1), 1, "0 0 */{} * *"),
    (timedelta(hours=1), 24, "0 */{} * * *"),
    (timedelta(minutes=1), 60, "*/{} * * * *"),
)


def expression_of(given: BaseSchedule | None) -> str:
    """Return the cron or interval expression with the instants of one of Celery's schedules.

    Raises:
        ValueError: It has none; the text says why.
    """
    # A subclass may say otherwise when it is due.
    if given is None or type(given) not in {crontab, schedule}:
        raise ValueError(f"a schedule of class {type(given).__name__} cannot be kept as an expression")
    # Of what these classes hold, the stubs of Celery name nothing.
    found: Any = given
    if found.nowfun is not None:
        raise ValueError("a schedule with a nowfun: beats go by the database's clock")
    if isinstance(given, crontab):
        return _crontab(found)
    every = found.run_every
    if not isinstance(every, timedelta):
        raise ValueError("a schedule without an interval")
    return _relative(every) if found.relative else _interval(every)


def zone_name(zone: tzinfo) -> str:
    """Return the IANA name of an app's time zone.

    Raises:
        ValueError: It has none, such as this machine's own.
    """
    if zone is UTC:
        return "UTC"
    name = getattr(zone, "key", None)
    if not isinstance(name, str):
        raise ValueError("the app's zone has no IANA name: set app.conf.timezone")
    return name


def _crontab(found: Any) -> str:
    """Return the fields of a ``crontab``; its private ones hold what the user wrote."""
    written_minute, written_hour = found._orig_minute, found._orig_hour  # noqa: SLF001
    fields = (
        _wild(written_minute, found.minute, 60) or _numbers(found.minute, 60),
        _wild(written_hour, found.hour, 24) or _numbers(found.hour, 24),
        _numbers(found.day_of_month, 31),
        _numbers(found.month_of_year, 12),
        _numbers(found.day_of_week, 7),
    )
    return " ".join(fields)


def _wild(written: object, numbers: Collection[int], count: int) -> str | None:
    """Return a field that begins with a star as it was written: the rule for DST looks at that."""
    match = _STAR.fullmatch(written) if isinstance(written, str) else None
    if match is None or (match[1] is not None and not 1 <= int(match[1]) < count):
        return None
    return "*" if len(numbers) == count else match[0]


def _numbers(numbers: Collection[int], count: int) -> str:
    return "*" if len(numbers) == count else _folded(numbers)


def _folded(numbers: Collection[int]) -> str:
    """Return a list in which numbers in a row are a range: an expression has to be short."""
    terms: list[str] = []
    for _, pairs in groupby(enumerate(sorted(numbers)), key=lambda pair: pair[1] - pair[0]):
        row = [str(number) for _, number in pairs]
        terms += row if len(row) < _SHORTEST_RANGE else [f"{row[0]}-{row[-1]}"]
    return ",".join(terms)


def _interval(every: timedelta) -> str:
    if not _SECOND <= every <= LONGEST or every % _SECOND:
        most = LONGEST.days
        raise ValueError(f"an interval of {every}: whole seconds are needed, 1 s to {most} days")
    return every_text(every)


def _relative(every: timedelta) -> str:
    for unit, count, expression in _ROUNDED:
        if every < unit:
            continue
        # Celery rounds each instant down to the unit, so what is beyond whole units never counts.
        step = every // unit
        if step == 1 or (step < count and count % step == 0):
            return expression.format(step).replace("*/1 ", "* ")
        raise ValueError(f"relative and every {every}: that is no part of a day or hour; write a crontab")
    return _interval(every)
