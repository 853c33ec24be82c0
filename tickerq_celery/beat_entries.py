"""Celery's beat entries as an app has them, checked: what cannot be kept is refused by the entry's name."""

from collections.abc import Mapping
from typing import Any

from celery import Celery
from celery.beat import ScheduleEntry
from celery.schedules import crontab

from tickerq_celery import limits
from tickerq_celery.celery_call import CeleryCall
from tickerq_celery.celery_schedules import expression_of, zone_name
from tickerq_celery.entries import Entry
from tickerq_celery.errors import ConfigError, TickerValidationError
from tickerq_celery.imports import PeriodicTask
from tickerq_celery.interval import every_in
from tickerq_celery.publisher import OUR_TASKS

SETTING = "beat_schedule"


def read_entries(app: Celery, given: Mapping[str, object], *, payload_limit: int) -> list[Entry]:
    """Return an app's entries, in the order of their names.

    Raises:
        ConfigError: Some cannot be kept; the text has the name of each, and why.
    """
    entries: list[Entry] = []
    refused: list[str] = []
    for name in sorted(given):
        try:
            entries.append(_entry(app, name, given[name], payload_limit))
        except ValueError as error:
            refused.append(f"entry {name!r}: {error}")
    if refused:
        raise ConfigError(SETTING, "; ".join(refused))
    return entries


def periodic_tasks(app: Celery) -> list[PeriodicTask]:
    """Return the entries of an app's ``beat_schedule`` for an import, by name."""
    app.finalize()
    given: Mapping[str, object] = app.conf.beat_schedule
    return [_periodic_task(app, name, given[name]) for name in sorted(given)]


def _periodic_task(app: Celery, name: str, fields: object) -> PeriodicTask:
    try:
        entry = celery_entry(app, name, fields)
        options = dict(entry.options or {})
        queue = options.pop("queue", None)
        return PeriodicTask(
            name=name,
            task=str(entry.task),
            expression=expression_of(entry.schedule),
            time_zone=zone_name(app.timezone),
            args=_arguments(entry.args),
            kwargs=entry.kwargs or {},
            queue=queue,
            left_out=tuple(sorted(options)),
        )
    except ValueError as error:
        return PeriodicTask(name=name, task="", flaw=str(error))


def celery_entry(app: Celery, name: str, fields: Any) -> ScheduleEntry:
    """Return an entry as Celery understands it.

    Raises:
        ValueError: Celery would not take it either.
    """
    if isinstance(fields, ScheduleEntry):
        return fields
    try:
        return ScheduleEntry(**dict(fields, name=name, app=app))
    except (TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"not an entry of Celery's ({error})") from error


def _entry(app: Celery, name: str, fields: object, payload_limit: int) -> Entry:
    entry = celery_entry(app, limits.words("name", name, 1_000), fields)
    task = limits.name("task", entry.task, limits.LONGEST_FUNCTION)
    if task.startswith(OUR_TASKS):
        raise TickerValidationError("task", task, "a ticker function's: give the function cron= instead")
    options = dict(entry.options or {})
    queue = options.get("queue")
    if queue is not None:
        limits.name("queue", queue, limits.LONGEST_QUEUE)
    call = CeleryCall(args=_arguments(entry.args), kwargs=dict(entry.kwargs or {}), options=options).encoded()
    if len(call) > payload_limit:
        raise ValueError(f"its arguments and options take {len(call)} bytes, the limit is {payload_limit}")
    is_cron = isinstance(entry.schedule, crontab)
    expression = expression_of(entry.schedule)
    return Entry(
        name=name,
        task=task,
        expression=expression,
        # A relative interval is rounded in the app's zone; one of elapsed time has none.
        time_zone="UTC" if every_in(expression) is not None else zone_name(app.timezone),
        call=call,
        queue=queue,
        # Celery's deadline is for crontab entries only.
        misfire_grace=app.conf.beat_cron_starting_deadline if is_cron else None,
    )


def _arguments(args: object) -> tuple[Any, ...]:
    if args is None:
        return ()
    if not isinstance(args, list | tuple):
        raise TickerValidationError("args", args, "pass a list or tuple")
    return tuple(args)
