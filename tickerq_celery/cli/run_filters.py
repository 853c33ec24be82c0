"""The options by which commands select runs: those of ``runs.find``, with the same meanings."""

from collections.abc import Callable
from functools import update_wrapper
from typing import Any, TypeVar

import click

from tickerq_celery.cli.words import FunctionParam, Span, Word
from tickerq_celery.enums import HoldReason, TickerKind, TickerStatus, TickerType

T = TypeVar("T")


class _Status(Word[TickerStatus]):
    """A status; Published, which tables show beside them, is none."""

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> TickerStatus:
        if str(value).lower() == "published":
            self.fail("it is no status of its own, pass --published", param, ctx)
        return super().convert(value, param, ctx)


_OPTIONS = (
    click.option(
        "--function",
        multiple=True,
        type=FunctionParam(),
        metavar="NAME",
        help="Of this function or Celery task.",
    ),
    click.option("--status", multiple=True, type=_Status(TickerStatus), help="In this status."),
    click.option(
        "--published",
        "is_published",
        is_flag=True,
        default=None,
        help="Celery tasks of which only their publication is known.",
    ),
    click.option("--tag", metavar="TAG", help="With this tag."),
    click.option("--queue", metavar="NAME", help="In this queue."),
    click.option("--node", metavar="NAME", help="That run, or ran last, on this node."),
    click.option("--cron", "cron_ticker_id", type=click.UUID, help="Of the cron ticker of this id."),
    click.option("--chain", "root_id", type=click.UUID, help="Of the chain with this head."),
    click.option("--kind", type=Word(TickerKind), help="Of functions, or of Celery tasks."),
    click.option("--type", type=Word(TickerType), help="Time tickers, or occurrences."),
    click.option("--held-for", type=Word(HoldReason), help="Held for this reason."),
    click.option(
        "--error",
        metavar="TEXT",
        help="With this in their exception, or in why they were skipped.",
    ),
    click.option("--error-type", metavar="TYPE", help="With an exception of exactly this type."),
    click.option("--min-elapsed", type=Span(), help="That took at least so long."),
)
_NAMES = (
    "function",
    "status",
    "is_published",
    "tag",
    "queue",
    "node",
    "cron_ticker_id",
    "root_id",
    "kind",
    "type",
    "held_for",
    "error",
    "error_type",
    "min_elapsed",
)


def run_filters(body: Callable[..., T]) -> Callable[..., T]:
    """Give a command the options that select runs, as one argument: ``filters``, for ``runs.find``."""

    def gathered(*args: Any, **options: Any) -> T:
        given = {name: options.pop(name) for name in _NAMES}
        filters = {name: value for name, value in given.items() if value not in (None, ())}
        return body(*args, filters=filters, **options)

    decorated: Callable[..., T] = update_wrapper(gathered, body)
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated
