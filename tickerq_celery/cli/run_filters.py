"""The options by which commands select runs: the criteria of ``runs.find``, with the same meanings."""

from collections.abc import Callable
from datetime import datetime
from functools import update_wrapper
from typing import Any, TypeVar

import click

from tickerq_celery.cli.field_options import Said, given, options_of
from tickerq_celery.cli.words import FunctionParam, Moment, Word
from tickerq_celery.enums import TickerStatus
from tickerq_celery.tickers.criteria import RunFilter

T = TypeVar("T")


class _Status(Word[TickerStatus]):
    """A status; Published, which tables show beside them, is none."""

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> TickerStatus:
        if str(value).lower() == "published":
            self.fail("it is no status of its own, pass --published", param, ctx)
        return super().convert(value, param, ctx)


# When runs ended and when they are due is each command's own --since and --until.
_TEXTS = {
    "function": Said("Of this function or Celery task.", metavar="NAME", type=FunctionParam()),
    "function_prefix": Said("Of functions whose name begins so.", "prefix", "TEXT"),
    "status": Said("In this status.", type=_Status(TickerStatus)),
    "is_published": Said("Celery tasks of which only their publication is known, or all others."),
    "outcome_known": Said("Whose status says how they went, or those that were only published."),
    "tag": Said("With this tag.", metavar="TAG"),
    "queue": Said("In this queue.", metavar="NAME"),
    "routed": Said("With --queue: also of this function, if it has no queue of its own.", metavar="NAME"),
    "priority": Said("Of this priority."),
    "node": Said("That run, or ran last, on this node.", metavar="NAME"),
    "cron_ticker_id": Said("Of the cron ticker of this id.", "cron"),
    "root_id": Said("Of the chain with this head.", "chain"),
    "parent_id": Said("Directly below this run in its chain.", "parent"),
    "kind": Said("Of functions, or of Celery tasks."),
    "task_id": Said("Whose messages have this id.", metavar="ID"),
    "type": Said("Time tickers, or occurrences."),
    "origin": Said("Made by this."),
    "unique_key": Said("With this unique key.", metavar="KEY"),
    "concurrency_key": Said("With this concurrency key.", metavar="KEY"),
    "held_for": Said("Held for this reason."),
    "hold_key": Said("Held under this key, such as a pause's.", metavar="KEY"),
    "error": Said("With this in their exception, or in why they were skipped.", metavar="TEXT"),
    "error_type": Said("With an exception of exactly this type.", metavar="TYPE"),
    "is_late": Said("That were claimed late, or were not."),
    "min_attempts": Said("With at least so many attempts."),
    "min_elapsed": Said("That took at least so long."),
    "execution_from": Said("Planned for this moment or later."),
    "execution_until": Said("Planned for a moment before this one."),
}
_OPTIONS = options_of((RunFilter,), _TEXTS, {datetime: Moment()})


def run_filters(body: Callable[..., T]) -> Callable[..., T]:
    """Give a command the options that select runs, as one argument: ``filters``, for ``runs.find``."""

    def gathered(*args: Any, **options: Any) -> T:
        filters = given({name: options.pop(name) for name in _TEXTS})
        return body(*args, filters=filters, **options)

    decorated: Callable[..., T] = update_wrapper(gathered, body)
    # Where click's own decorators keep them, the last one first.
    vars(decorated)["__click_params__"] = [*getattr(body, "__click_params__", []), *reversed(_OPTIONS)]
    return decorated
