"""The options of ``add``: the fields of tickers, those of time tickers, and those of cron tickers."""

from collections.abc import Sequence
from typing import Any

import click

from tickerq_celery.cli.json_input import JsonInput
from tickerq_celery.cli.words import Coming, Span, Word
from tickerq_celery.enums import MisfirePolicy, OnConflict, OverlapPolicy, TickerPriority

OF_ALL = (
    click.Option(["--request"], type=JsonInput(), help="The request: JSON, @FILE, or - for standard input."),
    click.Option(["--task"], metavar="NAME", help="A Celery task, instead of FUNCTION."),
    click.Option(["--args"], type=JsonInput(list), help="Of a Celery task: its arguments, a JSON list."),
    click.Option(["--kwargs"], type=JsonInput(dict), help="Of a Celery task: those by name, as JSON."),
    click.Option(["--queue"], metavar="NAME", help="Instead of the function's queue."),
    click.Option(["--priority"], type=Word(TickerPriority), help="Instead of the function's priority."),
    click.Option(["--retries"], type=int, help="How many extra attempts."),
    click.Option(
        ["--retry-interval", "retry_intervals"],
        multiple=True,
        type=Span(),
        help="Wait before each; the last repeats.",
    ),
    click.Option(["--timeout"], type=Span(), help="After how long an attempt is asked to stop."),
    click.Option(["--concurrency-key"], metavar="KEY", help="Of runs with the same key a few at once only."),
    click.Option(["--tag", "tags"], multiple=True, metavar="TAG", help="A tag; may be repeated."),
    click.Option(["--description"], metavar="TEXT", help="What people read."),
)
OF_TIME_TICKERS = (
    click.Option(["--at", "execution_time"], type=Coming(), help="When it is due; now without it."),
    click.Option(["--in", "delay"], type=Span(), help="After how long it is due."),
    click.Option(["--unique-key"], metavar="KEY", help="No second one while one with this key is active."),
    click.Option(["--on-conflict"], type=Word(OnConflict), help="What to do where there is one."),
)
OF_CRON_TICKERS = (
    click.Option(["--cron", "expression"], metavar="EXPRESSION", help="A cron ticker: 5 or 6 fields."),
    click.Option(["--every"], type=Span(), help="A cron ticker that fires in this interval."),
    click.Option(["--zone", "time_zone"], metavar="NAME", help="Its time zone, such as Europe/Berlin."),
    click.Option(["--start", "start_at"], type=Coming(), help="Nothing fires before this moment."),
    click.Option(["--end", "end_at"], type=Coming(), help="Nothing fires after this moment."),
    click.Option(["--max-runs"], type=int, help="How many instants fire at all."),
    click.Option(["--misfire"], type=Word(MisfirePolicy), help="What to do with instants that passed."),
    click.Option(["--overlap"], type=Word(OverlapPolicy), help="What to do while an earlier run is active."),
)


TICKER_OPTIONS = (*OF_ALL, *OF_TIME_TICKERS, *OF_CRON_TICKERS)


def given(options: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that were given."""
    return {name: value for name, value in options.items() if value not in (None, ())}


def refuse(fields: dict[str, Any], options: Sequence[click.Option], why: str) -> None:
    """Refuse fields that were given by one of these options.

    Raises:
        click.UsageError: One was.
    """
    for option in options:
        if option.name in fields:
            raise click.UsageError(f"{option.opts[0]} {why}")
