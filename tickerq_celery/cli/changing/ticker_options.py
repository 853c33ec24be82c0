"""The fields of tickers as options: what ``add`` and ``update`` take."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

import click

from tickerq_celery.cli.field_options import Text, options_of
from tickerq_celery.cli.json_input import JsonInput
from tickerq_celery.cli.words import Coming, FunctionParam, Span
from tickerq_celery.tickers.inputs import CronTicker, TimeTicker


class _Children(JsonInput):
    """A chain: a JSON list of objects, each with the fields of a time ticker, and those below it."""

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        found = super().convert(value, param, ctx)
        if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
            self.fail(f"{value} is no JSON list of objects", param, ctx)
        return [self._child(each, param, ctx) for each in found]

    def _child(
        self, given: Mapping[str, Any], param: click.Parameter | None, ctx: click.Context | None
    ) -> TimeTicker:
        # Moments and durations are texts in JSON.
        read = {
            name: types.convert(value, param, ctx)
            for name, value in given.items()
            if isinstance(value, str) and isinstance(types := _TYPES.get(name), Coming | Span)
        }
        below = {"children": self.convert(given["children"], param, ctx)} if "children" in given else {}
        return TimeTicker(**{**given, **read, **below})


_TEXTS = {
    "function": Text("Another function.", metavar="NAME", type=FunctionParam()),
    "request": Text("The request: JSON, @FILE, or - for standard input."),
    "task": Text("A Celery task, instead of FUNCTION.", metavar="NAME"),
    "args": Text("Of a Celery task: its arguments, a JSON list."),
    "kwargs": Text("Of a Celery task: those by name, as JSON."),
    "options": Text("Of a Celery task: those of apply_async, as JSON."),
    "on_lost": Text("Of a Celery task: what to do where its worker dies."),
    "queue": Text("Instead of the function's queue.", metavar="NAME"),
    "priority": Text("Instead of the function's priority."),
    "retries": Text("How many extra attempts."),
    "retry_intervals": Text("Wait before each; the last repeats.", "retry-interval"),
    "timeout": Text("After how long an attempt is asked to stop."),
    "hard_timeout": Text("After how long its process is killed."),
    "concurrency_key": Text("Of runs with the same key a few at once only.", metavar="KEY"),
    "tags": Text("A tag; may be repeated.", "tag", "TAG"),
    "description": Text("What people read.", metavar="TEXT"),
    "namespace": Text("Of another application on the same store.", metavar="NAME"),
    "children": Text("What follows it: a JSON list of objects, each with the fields of a time ticker."),
    "execution_time": Text("When it is due; now without it.", "at"),
    "delay": Text("After how long it is due.", "in"),
    "unique_key": Text("No second one while one with this key is active.", metavar="KEY"),
    "expression": Text("A cron ticker: 5 or 6 fields.", "cron", "EXPRESSION"),
    "every": Text("A cron ticker that fires in this interval."),
    "time_zone": Text("Its time zone, such as Europe/Berlin.", metavar="NAME"),
    "day_or": Text("Fire where either day field matches, or both."),
    "start_at": Text("Nothing fires before this moment.", "start"),
    "end_at": Text("Nothing fires after this moment.", "end"),
    "max_runs": Text("How many instants fire at all."),
    "exclude": Text("A day on which nothing fires; may be repeated."),
    "jitter": Text("By how much runs start later than their instants, at most."),
    "is_enabled": Text("Whether it fires; not enabled it is paused."),
    "misfire": Text("What to do with instants that passed."),
    "misfire_limit": Text("How many of them run_all runs, at most."),
    "misfire_grace": Text("Those that passed longer ago never run."),
    "overlap": Text("What to do while an earlier run is active."),
    "pause_on_failure": Text("After how many failed runs in a row it is paused."),
}
FIELDS = options_of(
    (TimeTicker, CronTicker), _TEXTS, {datetime: Coming(), Sequence[TimeTicker]: _Children(list)}
)
_TYPES = {each.name: each.type for each in FIELDS}


def but(names: Collection[str]) -> list[click.Option]:
    """Return the options of all fields but these."""
    return [each for each in FIELDS if each.name not in names]


def refuse_others(given: Collection[str], kind: type[TimeTicker | CronTicker], why: str) -> None:
    """Refuse fields that a ticker of a ``kind`` does not have.

    Raises:
        click.UsageError: One was given.
    """
    names = {each.name for each in fields(kind)}
    for option in FIELDS:
        if option.name in given and option.name not in names:
            raise click.UsageError(f"{option.opts[0]} {why}")
