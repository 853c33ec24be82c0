"""``export``: what has ended, as lines of JSON in the form of the archive."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import click

from tickerq_celery.cli.hints import refuse_unknown
from tickerq_celery.cli.progress import Progress, progress
from tickerq_celery.cli.run_filters import run_filters
from tickerq_celery.cli.shell import Shell, command
from tickerq_celery.cli.terminal import standard_output_for_data
from tickerq_celery.cli.words import Moment
from tickerq_celery.errors import TickerError
from tickerq_celery.store.runs import runs
from tickerq_celery.tickers.archive_lines import line_of_run

# So many runs are read with their attempts and log lines at once.
_AT_ONCE = 100


@command("export", shows=False)
@click.argument("file", default="-", type=click.Path(dir_okay=False, allow_dash=True))
@run_filters
@click.option("--since", "ended_from", type=Moment(), help="That ended from this moment on.")
@click.option("--until", "ended_until", type=Moment(), help="That ended before this moment.")
@click.option("--cursor", help="Go on where an export was stopped; it is appended to FILE.")
def export(
    shell: Shell, file: str, filters: dict[str, Any], cursor: str | None, **span: datetime | None
) -> None:
    """Write what has ended, a line of JSON each.

    The latest end comes first, to FILE or to standard output. A line is a run as the archive has it, with its
    attempts and its log. FILE must not exist. An export that is stopped says with which --cursor it goes on.
    """
    wanted = {**filters, **span}
    # Before there is a file.
    if "function" in filters and not shell.managers.runs.history(limit=1, cursor=cursor, **wanted):
        refuse_unknown(shell, filters["function"], "no run to export meets the filters")
    with _opened(file, is_going_on=cursor is not None) as written, progress("exported") as shown:
        _export(shell, wanted, cursor, written, shown)
    click.echo(f"exported {shown.done:,} runs", err=True)


def _export(
    shell: Shell, wanted: dict[str, Any], cursor: str | None, written: IO[str], shown: Progress
) -> None:
    core, manager = shell.tickerq.core, shell.managers.runs
    try:
        while True:
            page = manager.history(limit=_AT_ONCE, cursor=cursor, **wanted)
            ids = [run.id for run in page]
            whole = core.read_bounded(runs.get_all, ids, codec=core.codec)
            # What was deleted meanwhile is not there any more.
            written.writelines(f"{line_of_run(whole[each])}\n" for each in ids if each in whole)
            written.flush()
            shown.advance(len(page))
            if page.next_cursor is None:
                return
            cursor = page.next_cursor
    except (TickerError, KeyboardInterrupt):
        shown.clear()
        if cursor is not None:
            click.echo(f"exported {shown.done:,} runs; go on with --cursor {cursor}", err=True)
        raise


@contextmanager
def _opened(file: str, *, is_going_on: bool) -> Iterator[IO[str]]:
    if file == "-":
        yield standard_output_for_data()
        return
    try:
        opened = Path(file).open("a" if is_going_on else "x", encoding="utf-8")  # noqa: SIM115 - closed below
    except OSError as error:
        raise click.ClickException(f"{file} cannot be written: {_reason(error)}") from error
    with opened:
        yield opened


def _reason(error: OSError) -> str:
    if isinstance(error, FileExistsError):
        return "it exists; pass another name, or to go on with it the --cursor where its export was stopped"
    return str(error.strerror)
