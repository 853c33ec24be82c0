"""The command ``hand-back``: give to Celery what waits, before this package is taken out."""

from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

import click

from tickerq_celery.beat.as_beat_schedule import LeftCron
from tickerq_celery.cli import cells
from tickerq_celery.cli.handing_back import (
    LATER_OPTION,
    Became,
    Findings,
    Refused,
    WayOut,
    later_file,
    longest_held,
)
from tickerq_celery.cli.output import Output
from tickerq_celery.cli.progress import progress
from tickerq_celery.cli.shell import Shell, command
from tickerq_celery.cli.tables import Column
from tickerq_celery.store.calls.handing_back import LeftRuns, WaitingCalls

_STOPPED = "Celery cannot hold what is listed as left: settle it, or pass --leave to leave it in the store"


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedBack:
    """What was handed back: calls sent, calls written to the file, and what waits as before."""

    sent: int
    later: int
    locked: int
    refused: Sequence[Refused]
    dropped_tables: bool


@command("hand-back", acts=True)
@click.option("--apply", "applying", is_flag=True, help="Do it, not only say what would be done.")
@click.option("--leave", is_flag=True, help="Leave in the store what Celery cannot hold, and go on.")
@click.option(
    "--anyway",
    is_flag=True,
    help="Send also what is due later than a worker may hold a message of the broker.",
)
@click.option(
    LATER_OPTION,
    "later_path",
    type=click.Path(dir_okay=False),
    default="tickerq-later.jsonl",
    show_default=True,
    help="The file to which that goes otherwise, a call a line.",
)
@click.option(
    "--drop-tables", is_flag=True, help="Then drop the tables; only where nobody else uses the store."
)
def hand_back(
    shell: Shell, applying: bool, leave: bool, anyway: bool, later_path: str, drop_tables: bool
) -> None:
    """Give the calls that wait to Celery, under their task ids, and print a beat_schedule.

    A call may be sent twice, under one id, where this is killed between its message and its record.
    """
    tickerq, output = shell.tickerq, shell.output
    horizon = None if anyway else longest_held(tickerq.app)
    way_out = WayOut(tickerq.app, tickerq.core, horizon=horizon, later=later_file(later_path))
    with closing(way_out):
        found = way_out.look()
        if not applying:
            output.value(found, lambda: _show(output, found, later_path))
        if not (leave or found.is_all_held):
            if applying:
                _show_left(output, found)
            raise click.ClickException(_STOPPED)
        if applying:
            _apply(shell, way_out, found, later_path, drop_tables=drop_tables)


def _apply(shell: Shell, way_out: WayOut, found: Findings, later_path: str, *, drop_tables: bool) -> None:
    counts: Counter[Became] = Counter()
    refused = []
    with progress("handed back") as shown:
        for became in way_out.hand_back():
            shown.advance(1)
            if isinstance(became, Refused):
                refused.append(became)
            else:
                counts[became] += 1
    sent, later, locked = (counts[each] for each in Became)
    shell.managers.audit.record("cli.hand-back", reason=f"sent {sent:,} calls, wrote {later:,} to a file")
    dropping = drop_tables and not locked and not refused
    if dropping:
        way_out.drop_tables()
    done = HandedBack(sent=sent, later=later, locked=locked, refused=refused, dropped_tables=dropping)
    shell.output.value(done, lambda: _show_done(shell.output, done, found, later_path))
    if locked or refused:
        raise click.ClickException(
            f"{locked:,} calls were locked by other processes and {len(refused):,} could not be sent: "
            "they wait as before; run this again"
        )


def _show_done(output: Output, done: HandedBack, found: Findings, later_path: str) -> None:
    output.line(f"sent {done.sent:,} calls to the broker, wrote {done.later:,} to {later_path}")
    for each in done.refused:
        output.line(f"{each.id} waits as before: {each.error}")
    _show_entries(output, found)
    if done.dropped_tables:
        output.line("dropped the tables")


def _show(output: Output, found: Findings, later_path: str) -> None:
    output.listing(found.calls, _CALLS, empty="no call of a Celery task waits")
    later = sum(each.later for each in found.calls)
    if later:
        output.line(f"{later:,} are due later than a worker may hold a message: they go to {later_path}")
    _show_left(output, found)
    _show_entries(output, found)
    output.line("nothing was handed back: add --apply")


def _show_entries(output: Output, found: Findings) -> None:
    if found.crons.entries:
        output.line()
        output.line(found.crons.as_text())


def _show_left(output: Output, found: Findings) -> None:
    if found.left:
        output.heading("runs that Celery cannot hold")
        output.listing(found.left, _LEFT_RUNS, empty="")
    if found.crons.left:
        output.heading("cron tickers that Celery's beat cannot hold")
        output.listing(found.crons.left, _LEFT_CRONS, empty="")


_CALLS: Sequence[Column[WaitingCalls]] = (
    Column("CALLS", lambda each: f"{each.calls:,}", is_number=True),
    Column("LATER", lambda each: f"{each.later:,}" if each.later else "", is_number=True),
    Column("FIRST", lambda each: cells.moment(each.first)),
    Column("LAST", lambda each: cells.moment(each.last)),
    Column("TASK", lambda each: each.task),
)
_LEFT_RUNS: Sequence[Column[LeftRuns]] = (
    Column("RUNS", lambda each: f"{each.runs:,}", is_number=True),
    Column("WHY", lambda each: each.why.value),
    Column("FUNCTION", lambda each: each.function),
)
_LEFT_CRONS: Sequence[Column[LeftCron]] = (
    Column("EXPRESSION", lambda each: each.expression),
    Column("WHY", lambda each: each.why),
    Column("FUNCTION", lambda each: each.function),
)
