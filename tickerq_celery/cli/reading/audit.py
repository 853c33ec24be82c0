"""``audit``: who did what, when, and what came of it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import click

from tickerq_celery.cli import cells
from tickerq_celery.cli.ids import TickerId
from tickerq_celery.cli.paging import page_options
from tickerq_celery.cli.shell import Shell, command
from tickerq_celery.cli.tables import Column
from tickerq_celery.cli.words import FunctionParam, Moment, Word
from tickerq_celery.enums import AuditOutcome
from tickerq_celery.tickers.audit import AuditEntry, ObjectKind


@command("audit")
@click.option("--actor", metavar="NAME", help="By this actor; code stands for changes without one.")
@click.option("--action", metavar="VERB", help="Such as runs.cancel.")
@click.option("--outcome", type=Word(AuditOutcome), help="Done, or refused.")
@click.option("--run", "run", type=TickerId(), help="About this run.")
@click.option("--cron", "cron_ticker", type=TickerId(), help="About this cron ticker.")
@click.option("--function", type=FunctionParam(), metavar="NAME", help="About this function: its pauses.")
@click.option("--tag", metavar="TAG", help="About this tag: its pauses.")
@click.option("--since", type=Moment(), help="From this moment on.")
@click.option("--until", type=Moment(), help="Before this moment.")
@page_options
def audit(
    shell: Shell,
    /,
    actor: str | None,
    action: str | None,
    outcome: AuditOutcome | None,
    since: datetime | None,
    until: datetime | None,
    limit: int,
    cursor: str | None,
    is_all: bool,
    **about: UUID | str | None,
) -> None:
    """List who did what, and what was refused, the newest first."""
    wanted: dict[str, Any] = {"actor": actor, "action": action, "outcome": outcome, **_object(about)}
    wanted |= {"since": since, "until": until}
    manager = shell.managers.audit
    found: Any = manager.iterate(**wanted) if is_all else manager.find(limit=limit, cursor=cursor, **wanted)
    shell.output.listing(found, _COLUMNS, empty=_empty(action, about))


def _object(about: dict[str, UUID | str | None]) -> dict[str, UUID | str | None]:
    given = {kind: value for kind, value in about.items() if value is not None}
    if len(given) > 1:
        raise click.UsageError("pass one of --run, --cron, --function and --tag")
    return next(({"object_kind": kind, "object_id": value} for kind, value in given.items()), {})


def _empty(action: str | None, about: dict[str, UUID | str | None]) -> str:
    if action is not None and "." not in action:
        return f"no action is named {action!r}; they are named like runs.cancel and pauses.pause"
    for kind in ("function", "tag"):
        if about[kind] is not None:
            itself = f"no entry is about {kind} {about[kind]} itself"
            return f"{itself}; entries about one of its runs: tickerq audit --run ID"
    return "nothing was done"


def _about(entry: AuditEntry) -> str:
    if entry.object_id is not None:
        return f"{entry.object_kind} {entry.object_id}{_job(entry)}"
    return f"{entry.count:,} of {entry.object_kind}" if entry.count != 1 else entry.object_kind


def _job(entry: AuditEntry) -> str:
    """Return what a bulk job does to which runs, and what it did to how many."""
    facts = entry.after
    if entry.object_kind != ObjectKind.BULK_JOB or not isinstance(facts, dict) or "what" not in facts:
        return ""
    asked = f": {facts['action']} {facts['what']}"
    if "changed" not in facts:
        return asked
    skipped = f", {facts['skipped']:,} skipped" if facts["skipped"] else ""
    return f"{asked}, {facts['changed']:,} changed{skipped}, {facts['state']}"


def _error(entry: AuditEntry) -> str | None:
    """Return why it was refused; refusals of one minute have one entry, with the text of the first."""
    if entry.outcome is AuditOutcome.REFUSED and entry.count > 1:
        return f"{entry.error or 'refused'} (and {entry.count - 1:,} more like it)"
    return entry.error


def _why(entry: AuditEntry) -> str:
    by = f"said by {entry.said_by}" if entry.said_by and entry.said_by != entry.actor else None
    return "; ".join(each for each in (_error(entry), entry.reason, by) if each)


_STYLES = {AuditOutcome.REFUSED: "red", AuditOutcome.UNCHANGED: "yellow"}
_COLUMNS: Sequence[Column[AuditEntry]] = (
    Column("AT", lambda entry: cells.moment(entry.at)),
    Column("ACTOR", lambda entry: entry.actor),
    Column("VIA", lambda entry: entry.via or ""),
    Column("ACTION", lambda entry: entry.action),
    Column("OUTCOME", lambda entry: entry.outcome.value, lambda entry: _STYLES.get(entry.outcome)),
    Column("ABOUT", _about, folds=True),
    Column("WHY", _why, folds=True),
)
