"""One action on all runs that meet filters: counted, asked for, done by beat as a bulk job, and watched."""

import time
from dataclasses import dataclass
from datetime import datetime

import click

from tickerq_celery.cli.asking import confirm
from tickerq_celery.cli.changing.selection import Selection
from tickerq_celery.cli.hints import refuse_unknown
from tickerq_celery.cli.job_details import write_job
from tickerq_celery.cli.progress import progress
from tickerq_celery.cli.shell import Shell
from tickerq_celery.enums import BulkAction, BulkState, NodeKind
from tickerq_celery.errors import QueryTooWideError
from tickerq_celery.store.nodes import nodes
from tickerq_celery.tickers.bulk import BulkJob

_LOOKS_EVERY = 0.5
# A beat that dies is noticed after a lease, which is much longer.
_LOOKS_FOR_BEAT_EVERY = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    """How many runs an action is about: None where counting takes too long; ``or_more`` at the bound."""

    action: BulkAction
    count: int | None
    or_more: bool
    as_of: datetime

    @property
    def is_none(self) -> bool:
        """Whether there is none, and not only none among those that were looked at."""
        return self.count == 0 and not self.or_more

    def __str__(self) -> str:
        if self.count is None:
            return "more runs than can be counted in time"
        more = " or more" if self.or_more else ""
        return f"{self.count:,}{more} {'run' if self.count == 1 and not more else 'runs'}"


def do_to_many(shell: Shell, action: BulkAction, selection: Selection) -> None:
    """Let beat do ``action`` to all runs of a selection: say how many they are, ask, start, wait, report."""
    meant = _meant(shell, action, selection)
    nothing = f"no run to {action.value} meets the filters"
    if meant.is_none:
        refuse_unknown(shell, selection.filters.get("function", ()), nothing)
    if selection.count_only or meant.is_none:
        said = str(meant) if selection.count_only else nothing
        shell.output.value(meant, lambda: shell.output.line(said))
        return
    if not selection.no_wait and not _beat_is_alive(shell):
        raise click.ClickException(
            f"no beat is alive, and beat is what would {action.value} {meant}: start one, "
            "`celery -A yourapp beat`; with --no-wait the job waits for it"
        )
    confirm(f"{action.value} {meant}?", is_sure=selection.is_sure)
    job = shell.managers.bulk.start(
        action,
        everything=selection.everything,
        # What was counted is what is meant, however long the answer took.
        as_of=meant.as_of,
        reason=selection.reason,
        **selection.filters,
    )
    if not selection.no_wait:
        try:
            job = _watched(shell, job, meant)
        except KeyboardInterrupt:
            click.echo(f"job {job.id} goes on: `bulk stop {job.id}` ends it", err=True)
            raise
    shell.output.value(job, lambda: write_job(shell.output, job))
    if job.state in (BulkState.FAILED, BulkState.STOPPED):
        raise SystemExit(1)


def _meant(shell: Shell, action: BulkAction, selection: Selection) -> Meant:
    as_of = shell.tickerq.core.read(lambda tx: tx.now)
    try:
        count = shell.managers.bulk.count(
            action, everything=selection.everything, as_of=as_of, **selection.filters
        )
    except QueryTooWideError:
        return Meant(action=action, count=None, or_more=False, as_of=as_of)
    return Meant(action=action, count=count.number, or_more=count.or_more, as_of=as_of)


def _beat_is_alive(shell: Shell) -> bool:
    core = shell.tickerq.core
    live = core.read(nodes.list_live, lease=core.config.lease)
    return any((each.kind, each.namespace) == (NodeKind.BEAT, core.config.namespace) for each in live)


def _watched(shell: Shell, job: BulkJob, meant: Meant) -> BulkJob:
    """Return a job once it has ended, showing how far it is.

    Raises:
        click.ClickException: The last beat has died meanwhile.
    """
    looks = 0
    with progress(job.action, None if meant.or_more else meant.count) as shown:
        while not job.has_ended:
            _wait()
            job = shell.managers.bulk.get(job.id)
            shown.advance(job.changed + job.skipped - shown.done)
            looks += 1
            if looks % _LOOKS_FOR_BEAT_EVERY == 0 and not job.has_ended and not _beat_is_alive(shell):
                raise click.ClickException(
                    f"no beat is alive any more: job {job.id} goes on when one is, see `bulk show {job.id}`"
                )
    return job


def _wait() -> None:
    time.sleep(_LOOKS_EVERY)
