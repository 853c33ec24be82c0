"""The command ``hand-back``: give to Celery what waits, before this package is taken out."""

from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

import click

from tickerq_celery.beat.as_beat_schedule import LeftCron
from tickerq_celery.broker.message_holding import Holding, holding_of
from tickerq_celery.cli import cells
from tickerq_celery.cli.handing_back import (
    LATER_OPTION,
    Became,
    Findings,
    Refused,
    WayOut,
    later_file,
)
from tickerq_celery.cli.modules import import_modules
from tickerq_celery.cli.output import Output
from tickerq_celery.cli.progress import progress
from tickerq_celery.cli.shell import Shell, command
from tickerq_celery.cli.tables import Column
from tickerq_celery.health.phrases import counted
from tickerq_celery.store.calls.handing_back import LeftRuns, WaitingCalls

_STOPPED = "Celery cannot hold what is listed as left: settle it, or pass --leave to leave it in the store"


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedBack:
    """What was handed back: calls sent, calls written to the file, and what waits as before.

    ``beat_schedule`` is the text of a module, None where no cron ticker is an entry.
    """

    sent: int
    later: int
    held: int
    locked: int
    refused: Sequence[Refused]
    beat_schedule: str | None


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
    if leave and drop_tables:
        raise click.UsageError("--leave leaves something in the tables: pass it or --drop-tables")
    tickerq, output = shell.tickerq, shell.output
    # Their options, such as a queue, are those of tasks that are known here.
    import_modules(tickerq)
    holding = Holding(limit=None) if anyway else holding_of(tickerq.app)
    way_out = WayOut(tickerq.app, tickerq.core, horizon=holding.limit, later=later_file(later_path))
    with closing(way_out):
        found = way_out.look()
        if not applying:
            output.value(found, lambda: _show(output, found, holding, later_path))
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
    sent, later, held, locked = (
        counts[each] for each in (Became.SENT, Became.LATER, Became.HELD, Became.LOCKED)
    )
    shell.managers.audit.record("cli.hand-back", reason=f"sent {sent:,} calls, wrote {later:,} to a file")
    text = found.crons.as_text() if found.crons.entries else None
    done = HandedBack(sent=sent, later=later, held=held, locked=locked, refused=refused, beat_schedule=text)
    shell.output.value(done, lambda: _show_done(shell.output, done, later_path))
    if locked or refused:
        raise click.ClickException(
            f"{locked:,} calls were locked by other processes and {len(refused):,} could not be sent: "
            "they wait as before; run this again"
        )
    if drop_tables:
        way_out.drop_tables()
        shell.output.line("dropped the tables")


def _show_done(output: Output, done: HandedBack, later_path: str) -> None:
    output.line(f"sent {counted(done.sent, 'call')} to the broker, wrote {done.later:,} to {later_path}")
    if done.held:
        output.line(f"{counted(done.held, 'call')} wait as before: a pause holds them")
    for each in done.refused:
        output.line(f"{each.id} waits as before: {each.error}")
    if done.beat_schedule is not None:
        output.line()
        output.line(done.beat_schedule)


def _show(output: Output, found: Findings, holding: Holding, later_path: str) -> None:
    output.listing(found.calls, _CALLS, empty="no call of a Celery task waits")
    later = sum(each.later for each in found.calls)
    if later:
        shown = counted(later, "call")
        output.line(f"for {later_path}, as due later than a worker may hold a message: {shown}")
        if holding.unknown is not None:
            output.line(f"how long it may hold one of {holding.unknown} is not known; --anyway sends all")
    _show_left(output, found)
    if found.crons.entries:
        output.line()
        output.line(found.crons.as_text())
    output.line("nothing was handed back: add --apply")


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
