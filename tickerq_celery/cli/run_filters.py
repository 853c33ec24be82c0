"""The options by which commands select runs: the criteria of ``runs.find``, with the same meanings."""

from collections.abc import Callable
from datetime import datetime
from functools import update_wrapper
from typing import Any, TypeVar

import click

from tickerq_celery.cli.field_options import Text, given, options_of
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
    "function": Text("Of this function or Celery task.", metavar="NAME", type=FunctionParam()),
    "function_prefix": Text("Of functions whose name begins so.", "prefix", "TEXT"),
    "status": Text("In this status.", type=_Status(TickerStatus)),
    "is_published": Text("Celery tasks of which only their publication is known, or all others."),
    "outcome_known": Text("Whose status says how they went, or those that were only published."),
    "tag": Text("With this tag.", metavar="TAG"),
    "queue": Text("In this queue.", metavar="NAME"),
    "routed": Text("With --queue: also of this function, if it has no queue of its own.", metavar="NAME"),
    "priority": Text("Of this priority."),
    "node": Text("That run, or ran last, on this node.", metavar="NAME"),
    "cron_ticker_id": Text("Of the cron ticker of this id.", "cron"),
    "root_id": Text("Of the chain with this head.", "chain"),
    "parent_id": Text("Directly below this run in its chain.", "parent"),
    "kind": Text("Of functions, or of Celery tasks."),
    "task_id": Text("Whose messages have this id.", metavar="ID"),
    "type": Text("Time tickers, or occurrences."),
    "origin": Text("Made by this."),
    "unique_key": Text("With this unique key.", metavar="KEY"),
    "concurrency_key": Text("With this concurrency key.", metavar="KEY"),
    "held_for": Text("Held for this reason."),
    "hold_key": Text("Held under this key, such as a pause's.", metavar="KEY"),
    "error": Text("With this in their exception, or in why they were skipped.", metavar="TEXT"),
    "error_type": Text("With an exception of exactly this type.", metavar="TYPE"),
    "is_late": Text("That were claimed late, or were not."),
    "min_attempts": Text("With at least so many attempts."),
    "min_elapsed": Text("That took at least so long."),
    "execution_from": Text("Planned for this moment or later."),
    "execution_until": Text("Planned for a moment before this one."),
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
