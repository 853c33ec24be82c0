"""The command ``prune``: show what is expired, or delete it now instead of waiting for beat."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import click

from tickerq_celery.cli import cells
from tickerq_celery.cli.output import Output
from tickerq_celery.cli.progress import progress
from tickerq_celery.cli.shell import Shell, command
from tickerq_celery.cli.tables import Column
from tickerq_celery.enums import TickerStatus
from tickerq_celery.functions.retention import rules_of
from tickerq_celery.runs.archive import Archive
from tickerq_celery.runs.pruner import Pruner, archive_of
from tickerq_celery.runtime.core import Core
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.nodes import lost_nodes
from tickerq_celery.store.records import past_runs, record_pruning
from tickerq_celery.store.stats import rollup_state

_WHOLE_CHAINS = "a chain goes as a whole, once each of its runs is expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class PrunableRuns:
    """How many runs of a function are expired in one status, and when the first of them ended.

    So many of them are ``published``: calls of a Celery task that no worker reported.
    """

    status: TickerStatus
    function: str
    runs: int
    published: int
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Prunable:
    """What is expired: runs, rows of the audit and of the roll-up, bulk jobs, and lost nodes.

    ``keeps`` says what retention is. Runs that ended after ``counted_until`` stay, as the roll-up has not
    counted them; None where it has counted none.
    """

    keeps: str
    runs: Sequence[PrunableRuns]
    audit: int
    bulk: int
    rollups: int
    lost_nodes: int
    counted_until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """How many rows were deleted, and how many chains wait as other processes have them locked."""

    deleted: int
    busy: int


@command("prune", acts=True)
@click.option("--apply", "applying", is_flag=True, help="Delete them, not only say so.")
@click.option(
    "--archive",
    "archive_path",
    type=click.Path(dir_okay=False),
    help="A file to which each is appended as a line of JSON before it is deleted.",
)
def prune(shell: Shell, applying: bool, archive_path: str | None) -> None:
    """Show or delete what is expired.

    Beat deletes it by itself.
    """
    core, output = shell.tickerq.core, shell.output
    if not applying:
        found = core.read(_past, core)
        output.value(found, lambda: _show(output, core, found))
        return
    path = archive_path or core.config.prune_archive
    archive = archive_of(path)
    if archive is not None and not archive.is_writable():
        # Also where nothing is expired: it would fail on a day when nobody looks.
        raise click.ClickException(f"the archive {path} cannot be written from here: nothing was deleted")
    pruned = _apply(core, archive)
    shell.managers.audit.record("cli.prune", reason=f"deleted {pruned.deleted:,} rows")

    def show() -> None:
        output.line(f"deleted {pruned.deleted:,} rows of {core.database.shown}")
        if pruned.busy:
            left = f"left {pruned.busy:,} chains that other processes have locked"
            output.line(f"{left}: they go the next time")

    output.value(pruned, show)


def _apply(core: Core, archive: Archive | None) -> Pruned:
    pruner, is_last = Pruner(core, archive), False
    with progress("deleted") as shown:
        while not is_last:
            piece = pruner.step()
            shown.advance(piece.deleted)
            is_last = piece.is_last
    return Pruned(deleted=shown.done, busy=pruner.busy)


def _past(tx: Transaction, core: Core) -> Prunable:
    kept, counted = core.config.retention, rollup_state.position(tx)
    return Prunable(
        keeps=str(kept),
        runs=[
            PrunableRuns(
                status=rule.status,
                function=found.function,
                runs=found.runs,
                published=found.published,
                since=found.since,
            )
            for rule in rules_of(kept)
            for found in past_runs.count(tx, rule, counted=counted)
        ],
        audit=0 if kept.audit is None else record_pruning.count_audit(tx, kept.audit),
        bulk=0 if kept.bulk is None else record_pruning.count_bulk(tx, kept.bulk),
        rollups=0 if kept.rollups is None else record_pruning.count_rollups(tx, kept.rollups),
        lost_nodes=lost_nodes.count_old(tx),
        counted_until=None if counted == rollup_state.START else counted.ended_at,
    )


def _show(output: Output, core: Core, found: Prunable) -> None:
    output.line(f"{core.database.shown} keeps: {found.keeps}")
    output.listing(found.runs, _COLUMNS, empty="")
    runs = sum(each.runs for each in found.runs)
    output.line(f"{runs:,} runs are expired; {_WHOLE_CHAINS}")
    until = found.counted_until
    counted = "no end is" if until is None else f"ends before {cells.moment(until)} are"
    output.line(f"{counted} counted in the roll-up: what it has not counted stays until a beat has done so")
    rest = (
        f"{found.audit:,} rows of the audit, {found.bulk:,} bulk jobs, {found.rollups:,} rows of the roll-up"
    )
    output.line(f"{rest} and {found.lost_nodes:,} lost nodes are expired")
    output.line("nothing was deleted: add --apply")


_COLUMNS: Sequence[Column[PrunableRuns]] = (
    Column("STATUS", lambda past: str(past.status)),
    Column("RUNS", lambda past: f"{past.runs:,}", is_number=True),
    Column("PUBLISHED", lambda past: f"{past.published:,}" if past.published else "", is_number=True),
    Column("SINCE", lambda past: cells.moment(past.since)),
    Column("FUNCTION", lambda past: past.function),
)
