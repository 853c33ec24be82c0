"""``run`` and ``clone``: let something start now, or once more."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import click

from tickerq_celery.cli.changing.selection import expected_option, reason_option
from tickerq_celery.cli.ids import TickerId
from tickerq_celery.cli.json_input import JsonInput
from tickerq_celery.cli.lookup import looked_up
from tickerq_celery.cli.modules import import_modules
from tickerq_celery.cli.output import Output
from tickerq_celery.cli.shell import Shell, command
from tickerq_celery.cli.words import Coming, Span
from tickerq_celery.enums import TickerType
from tickerq_celery.errors import TickerStateError, UnreadableRequestError
from tickerq_celery.tickers.views import Cron, Run


@command("run", acts=True)
@click.argument("ticker_id", metavar="ID", type=TickerId())
@click.option("--request", type=JsonInput(), help="Of a cron ticker, for this run: JSON, @FILE or -.")
@reason_option
@expected_option
def run(shell: Shell, ticker_id: UUID, request: object, reason: str | None, expected: str | None) -> None:
    """Run a cron ticker once, now; or let a time ticker start now that waits for its moment or a retry."""
    found = looked_up(shell, ticker_id)
    if isinstance(found, Cron):
        if request is not None:
            import_modules(shell.tickerq)
        started = shell.managers.cron_tickers.run_now(
            ticker_id, request=request, expected=expected, reason=reason
        )
    else:
        _check_time_ticker(found, request)
        started = shell.managers.time_tickers.run_now(ticker_id, expected=expected, reason=reason)
    _show(shell.output, started)


def _check_time_ticker(found: Run, request: object) -> None:
    if found.type is TickerType.CRON_TICKER_OCCURRENCE:
        status = f"an occurrence of cron ticker {found.cron_ticker_id}, and {found.status}"
        raise TickerStateError(found.id, status, "run now: run its cron ticker, or retry it")
    if request is not None:
        raise click.UsageError("--request is of cron tickers: a time ticker has its own; see clone")


@command("clone", acts=True)
@click.argument("run_id", metavar="ID", type=TickerId())
@click.option("--with-children", is_flag=True, help="Also all that is below it in its chain.")
@click.option("--request", type=JsonInput(), help="JSON, @FILE or -, instead of the request of the other.")
@click.option("--at", "moment", type=Coming(), help="When it is due.")
@click.option("--in", "delay", type=Span(), help="After how long it is due.")
@click.option("--allow-unknown", is_flag=True, help="Also of a function that nothing knows.")
def clone(
    shell: Shell,
    run_id: UUID,
    with_children: bool,
    request: object,
    moment: datetime | None,
    delay: timedelta | None,
    allow_unknown: bool,
) -> None:
    """Schedule a new run like one that is there, whatever became of it; print the new one's id."""
    changes: dict[str, Any] = {"request": request, "execution_time": moment, "delay": delay}
    given = {name: value for name, value in changes.items() if value is not None}
    if request is not None:
        import_modules(shell.tickerq)
    try:
        made = shell.managers.time_tickers.clone(
            run_id, with_children=with_children, allow_unknown=allow_unknown, **given
        )
    except UnreadableRequestError as error:
        if request is not None:
            # That of another run of its chain.
            raise
        raise UnreadableRequestError(f"{error.reason}: pass another one with --request") from error
    shell.output.value(made, lambda: shell.output.line(str(made.id)))


def _show(output: Output, started: Run) -> None:
    held = f", held: {started.held_for}" if started.held_for else ""
    output.value(started, lambda: output.line(f"{started.id}  {started.status_word}{held}"))
