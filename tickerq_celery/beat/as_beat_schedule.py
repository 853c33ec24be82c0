"""Cron tickers of Celery tasks as entries of a ``beat_schedule``, for Celery's own beat."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pprint import pformat
from typing import Any

from celery.schedules import ParseException, crontab

from tickerq_celery.beat.celery_schedules import expression_of
from tickerq_celery.enums import OverlapPolicy, TickerKind
from tickerq_celery.errors import UnreadableRequestError
from tickerq_celery.payload.celery_call import CeleryCall
from tickerq_celery.schedule.cron_expression import CronSchedule
from tickerq_celery.schedule.grammar import CronText, parse_fields, split_fields
from tickerq_celery.schedule.interval import every_in
from tickerq_celery.tickers.cron_rows import CronRow
from tickerq_celery.tickers.pauses import Pause, covering

_FIELDS = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")
# What the values of calls are printed with.
_HEAD = (
    "import datetime",
    "from decimal import Decimal",
    "from uuid import UUID",
    "",
    "from celery.schedules import crontab",
    "",
    "beat_schedule = {",
)


class _UnheldError(Exception):
    """Says why Celery's beat cannot hold a cron ticker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftCron:
    """A cron ticker that Celery's beat cannot hold, and why."""

    function: str
    expression: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BeatSchedule:
    """Entries as Python's text, the first names of each its task; and what is left."""

    entries: Sequence[str] = ()
    left: Sequence[LeftCron] = ()

    def as_text(self) -> str:
        """Return a module's text that defines ``beat_schedule``."""
        return "\n".join((*_HEAD, *self.entries, "}", ""))


def as_beat_schedule(
    crons: Iterable[CronRow],
    call_of: Callable[[CronRow], CeleryCall],
    *,
    zone: str | None,
    pauses: Sequence[Pause] = (),
) -> BeatSchedule:
    """Return the entries of cron tickers, but of those that ``beat_schedule`` itself defines as they are.

    ``zone`` is the name of the app's time zone, in which Celery's beat reads all crontabs; ``call_of``
    returns the call of a Celery task's cron ticker, or raises UnreadableRequestError.
    """
    entries: list[str] = []
    left: list[LeftCron] = []
    for row in crons:
        try:
            if _is_entry(row):
                _refuse_changed(row, pauses)
            else:
                entries.append(_entry(row, call_of, zone, pauses))
        except _UnheldError as why:
            left.append(LeftCron(function=row.function, expression=row.expression, why=str(why)))
    return BeatSchedule(entries=entries, left=left)


def _is_entry(row: CronRow) -> bool:
    return row.kind is TickerKind.CELERY_TASK and row.seed_expression is not None


def _refuse_changed(row: CronRow, pauses: Sequence[Pause]) -> None:
    """Refuse an entry of the code that fires otherwise than the code says."""
    if not row.is_enabled or covering(pauses, row.function, row.tags):
        raise _UnheldError("paused, and beat_schedule defines it")
    if (row.expression, row.time_zone) != (row.seed_expression, row.seed_time_zone):
        raise _UnheldError(f"changed from {row.seed_expression}, which beat_schedule says")


def _entry(
    row: CronRow, call_of: Callable[[CronRow], CeleryCall], zone: str | None, pauses: Sequence[Pause]
) -> str:
    if row.kind is not TickerKind.CELERY_TASK:
        raise _UnheldError("of a ticker function")
    for why in _unheld_fields(row, pauses):
        raise _UnheldError(why)
    try:
        call = call_of(row)
    except UnreadableRequestError as error:
        raise _UnheldError("its call cannot be read") from error
    options = call.options if row.queue is None else {**call.options, "queue": row.queue}
    fields: dict[str, Any] = {"args": list(call.args), "kwargs": call.kwargs, "options": options}
    lines = [f'"task": {row.function!r},', f'"schedule": {_schedule(row, zone)},']
    lines += [f'"{name}": {pformat(value, width=100)},' for name, value in fields.items() if value]
    body = "\n".join(lines).replace("\n", "\n        ")
    return f"    {f'{row.function} {row.id}'!r}: {{\n        {body}\n    }},"


def _unheld_fields(row: CronRow, pauses: Sequence[Pause]) -> Iterator[str]:
    if not row.is_enabled or covering(pauses, row.function, row.tags):
        yield "paused"
    if row.children is not None:
        yield "has children"
    for name in ("start_at", "end_at", "max_runs", "exclude"):
        # An interval counts from its start, also where nobody gave one.
        if getattr(row, name) and not (name == "start_at" and every_in(row.expression)):
            yield f"has {name}"
    if row.overlap is not OverlapPolicy.ALLOW:
        yield f"has overlap={row.overlap.value}"


def _schedule(row: CronRow, zone: str | None) -> str:
    every = every_in(row.expression)
    if every is not None:
        return f"datetime.timedelta(seconds={int(every.total_seconds())})"
    if row.time_zone != zone:
        raise _UnheldError(
            f"in {row.time_zone}, and Celery's beat reads it in {zone or 'a zone without a name'}"
        )
    text = split_fields(row.expression)
    if text.second != "0":
        raise _UnheldError("has seconds")
    given = dict(zip(_FIELDS, (text.minute, text.hour, text.day, text.month, text.weekday), strict=True))
    for candidate in (given, _in_numbers(text)):
        if _means_the_same(candidate, row, text):
            shown = ", ".join(f"{name}={value!r}" for name, value in candidate.items() if value != "*")
            return f"crontab({shown})"
    raise _UnheldError("Celery's crontab has no such rule")


def _in_numbers(text: CronText) -> dict[str, str]:
    """Return the fields with names, aliases and wrapped ranges as numbers; stars stay, for DST."""
    found = parse_fields(text, day_or=False)
    numbers = (found.minutes, found.hours, found.days, found.months, found.weekdays)
    written = (text.minute, text.hour, text.day, text.month, text.weekday)
    return {
        name: shown if shown.startswith("*") else "*" if shown == "?" else ",".join(map(str, each))
        for name, shown, each in zip(_FIELDS, written, numbers, strict=True)
    }


def _means_the_same(fields: dict[str, str], row: CronRow, text: CronText) -> bool:
    """Return True if Celery's crontab of these fields fires when the cron ticker does."""
    try:
        made = crontab(**fields)
    except (ParseException, ValueError):
        return False
    read = CronSchedule.read(expression_of(made), time_zone=row.time_zone)
    is_wild = split_fields(read.expression).is_wild
    return (read.times.fields, is_wild) == (parse_fields(text, day_or=row.day_or), text.is_wild)
