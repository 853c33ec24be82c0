"""Read Celery's ``beat_schedule``: an app's entries; what cannot be kept is refused by the entry's name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from celery import Celery
from celery.beat import ScheduleEntry
from celery.schedules import crontab

from tickerq_celery import validation
from tickerq_celery.beat.celery_schedules import expression_of, zone_name
from tickerq_celery.beat.entry_rows import Entry
from tickerq_celery.broker.plain_json import plain_call
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.payload.celery_call import CeleryCall
from tickerq_celery.schedule.cron_expression import CronSchedule
from tickerq_celery.schedule.interval import every_in
from tickerq_celery.tickers.celery_task import OUR_TASKS

# What Celery passes by name: a call's keywords, headers or options.
Keywords = dict[str, Any]
SETTING = "beat_schedule"
_DEADLINE = "beat_cron_starting_deadline"
_LONGEST_NAME = 1_000
_LONGEST_DEADLINE = timedelta(days=3650)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entries:
    """An app's entries in the order of their names: those that can be kept, and why the others cannot."""

    kept: Sequence[Entry]
    refused: Sequence[str]


def read_entries(app: Celery, given: Mapping[Any, object], *, payload_limit: int) -> Entries:
    """Return an app's entries; one that cannot be kept keeps no other from running."""
    kept: list[Entry] = []
    refused: list[str] = []
    for name in sorted(given, key=str):
        try:
            kept.append(_entry(app, name, given[name], payload_limit))
        except ValueError as error:
            refused.append(f"entry {name!r} of {SETTING} cannot be kept: {error}")
    return Entries(kept=kept, refused=refused)


def celery_entry(app: Celery, name: object, fields: Any) -> ScheduleEntry:
    """Return an entry as Celery understands it.

    Raises:
        ValueError: Celery would not take it either, or it has rules of its own.
    """
    text = validation.words("name", name, _LONGEST_NAME)
    if isinstance(fields, ScheduleEntry):
        if type(fields) is not ScheduleEntry:
            raise ValueError(f"an entry of class {type(fields).__name__}: its own is_due is never asked")
        return fields
    try:
        return ScheduleEntry(**dict(fields, name=text, app=app))
    except (TypeError, ValueError, AttributeError, OverflowError) as error:
        raise ValueError(f"not an entry of Celery's ({error})") from error


def _entry(app: Celery, name: str, fields: object, payload_limit: int) -> Entry:
    entry = celery_entry(app, name, fields)
    task = validation.name("task", entry.task, validation.LONGEST_FUNCTION)
    if task.startswith(OUR_TASKS):
        raise TickerValidationError("task", task, "a ticker function's: give the function cron= instead")
    call = call_of(entry)
    queue = call.options.get("queue")
    if queue is not None:
        validation.name("queue", queue, validation.LONGEST_QUEUE)
    if call.options.get("eta") is not None:
        raise ValueError("its options have an eta, which is one moment for all of its runs")
    task_id = call.options.get("task_id")
    if task_id is not None:
        validation.name("task_id", task_id, validation.LONGEST_TASK_ID)
    encoded = plain_call(call).encoded()
    if len(encoded) > payload_limit:
        raise ValueError(f"its arguments and options take {len(encoded)} bytes, the limit is {payload_limit}")
    expression = expression_of(entry.schedule)
    return Entry(
        name=name,
        task=task,
        expression=expression,
        time_zone=zone_of(app, expression) or "UTC",
        call=encoded,
        queue=queue,
        task_id=task_id,
        # Celery's deadline is for crontab entries only.
        misfire_grace=_deadline(app) if isinstance(entry.schedule, crontab) else None,
        schedule=entry.schedule,
    )


def zone_of(app: Celery, expression: str) -> str | None:
    """Return the zone that an expression is read in, None where it is elapsed time.

    Raises:
        ValueError: It cannot be read there.
    """
    # A relative interval is rounded in the app's zone.
    if every_in(expression) is not None:
        return None
    zone = zone_name(app.timezone)
    CronSchedule.parse(expression, time_zone=zone)
    return zone


def _deadline(app: Celery) -> timedelta | None:
    given: object = app.conf.beat_cron_starting_deadline
    return None if given is None else validation.duration(_DEADLINE, given, most=_LONGEST_DEADLINE)


def call_of(entry: ScheduleEntry) -> CeleryCall:
    """Return what an entry passes to its task."""
    options = _named("options", entry.options)
    _named("headers", options.get("headers"))
    return CeleryCall(args=_arguments(entry.args), kwargs=_named("kwargs", entry.kwargs), options=options)


def _named(field: str, values: object) -> Keywords:
    if values is None:
        return {}
    # Not shown: they may be secrets.
    if not isinstance(values, Mapping) or not all(isinstance(name, str) for name in values):
        raise ValueError(f"its {field} are no dict whose keys are str")
    return dict(values)


def _arguments(args: object) -> tuple[Any, ...]:
    if args is None:
        return ()
    if not isinstance(args, list | tuple):
        raise TickerValidationError("args", args, "pass a list or tuple")
    return tuple(args)
