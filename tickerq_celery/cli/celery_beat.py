"""Entries of beat_schedule as periodic tasks that the importer reads."""

from collections.abc import Mapping
from typing import Any

from celery import Celery

from tickerq_celery import validation
from tickerq_celery.beat.beat_schedule import call_of, celery_entry, zone_of
from tickerq_celery.beat.celery_schedules import expression_of
from tickerq_celery.cli.periodic_task import PeriodicTask
from tickerq_celery.wording import shortened


def periodic_tasks(app: Celery) -> list[PeriodicTask]:
    """Return the entries of an app's ``beat_schedule`` for an import, by name."""
    app.finalize()
    given: Mapping[Any, object] = app.conf.beat_schedule
    return [_periodic_task(app, name, given[name]) for name in sorted(given, key=str)]


def _periodic_task(app: Celery, name: object, fields: object) -> PeriodicTask:
    try:
        entry = celery_entry(app, name, fields)
        expression = expression_of(entry.schedule)
        call = call_of(entry)
        queue = call.options.pop("queue", None)
        return PeriodicTask(
            name=str(name),
            task=validation.name("task", entry.task, validation.LONGEST_FUNCTION),
            expression=expression,
            time_zone=zone_of(app, expression),
            args=call.args,
            kwargs=call.kwargs,
            queue=queue,
            left_out=tuple(sorted(call.options)),
        )
    except ValueError as error:
        # It may be no text, or none that a terminal can show.
        shown = name if isinstance(name, str) and name.isprintable() else shortened(name)
        return PeriodicTask(name=shown, task="", flaw=str(error))
