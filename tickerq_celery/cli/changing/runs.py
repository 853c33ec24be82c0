"""``cancel``, ``retry``, ``delete``, ``release``, ``mark-failed``: what is done to runs that are there."""

from collections.abc import Callable, Sequence
from uuid import UUID

import click

from tickerq_celery.cli.asking import confirm
from tickerq_celery.cli.changing.chains import cancel_chain, retry_chain
from tickerq_celery.cli.changing.many_runs import do_to_many
from tickerq_celery.cli.changing.on_each import cancelled, on_each
from tickerq_celery.cli.changing.selection import (
    DUES,
    ENDS,
    Selection,
    expected_option,
    reason_option,
    selecting,
)
from tickerq_celery.cli.ids import NoId, each_id
from tickerq_celery.cli.shell import Shell, command
from tickerq_celery.enums import BulkAction
from tickerq_celery.tickers.views import Run

_BELOW = "with its attempts and log, and all below it in a chain"


@command("cancel", acts=True)
@selecting(DUES, chains=True)
@click.option("--terminate", is_flag=True, help="Kill the process of the pool that runs it.")
def cancel(shell: Shell, selection: Selection, terminate: bool) -> None:
    """Cancel runs: those that wait at once, those that run as soon as they look.

    By ids at once, and with --chain all of a chain that has not ended; by filters as a bulk job.
    """
    if selection.chain is not None:
        cancel_chain(shell, selection.chain, selection, terminate=terminate)
        return
    if not selection.ids:
        do_to_many(shell, BulkAction.TERMINATE if terminate else BulkAction.CANCEL, selection)
        return

    def verb(run_id: UUID) -> Run:
        return shell.managers.runs.cancel(
            run_id, terminate=terminate, expected=selection.expected, reason=selection.reason
        )

    on_each(shell, selection.ids, verb, cancelled)


@command("retry", acts=True)
@selecting(ENDS, chains=True)
def retry(shell: Shell, selection: Selection) -> None:
    """Let runs that ended as Failed, Cancelled or Skipped start again now, with all of their retries.

    By ids at once, and with --chain all that failed in a chain; by filters as a bulk job.
    """
    if selection.chain is not None:
        retry_chain(shell, selection.chain, selection)
        return
    if not selection.ids:
        do_to_many(shell, BulkAction.RETRY, selection)
        return

    def verb(run_id: UUID) -> Run:
        return shell.managers.runs.retry(run_id, expected=selection.expected, reason=selection.reason)

    on_each(shell, selection.ids, verb, lambda run: "retried")


@command("delete", acts=True)
@selecting(ENDS, chains=False)
def delete(shell: Shell, selection: Selection) -> None:
    """Delete runs that wait or have ended, with their attempts and logs, and all below in a chain.

    By ids at once; by filters as a bulk job. Cron tickers are deleted by delete-cron.
    """
    if not selection.ids:
        do_to_many(shell, BulkAction.DELETE, selection)
        return
    ids = list(dict.fromkeys(selection.ids))
    meant = [each for each in ids if isinstance(each, UUID)]
    what = f"run {meant[0]}, {_BELOW}" if len(meant) == 1 else f"{len(meant)} runs, each {_BELOW}"
    confirm(f"delete {what}?", is_sure=selection.is_sure)

    def verb(run_id: UUID) -> None:
        shell.managers.runs.delete(run_id, expected=selection.expected, reason=selection.reason)

    on_each(shell, ids, verb, lambda run: "deleted")


def _of_lost_runs(body: Callable[..., None]) -> Callable[..., None]:
    ids = click.argument("ids", metavar="ID...", nargs=-1, required=True, callback=each_id)
    decorated: Callable[..., None] = ids(reason_option(expected_option(body)))
    return decorated


@command("release", acts=True)
@_of_lost_runs
def release(shell: Shell, ids: Sequence[UUID | NoId], expected: str | None, reason: str | None) -> None:
    """Let runs start again now whose node is dead, whatever their functions' on_lost."""
    _do_to_lost(shell, ids, shell.managers.runs.release, "released", expected, reason)


@command("mark-failed", acts=True)
@_of_lost_runs
def mark_failed(shell: Shell, ids: Sequence[UUID | NoId], expected: str | None, reason: str | None) -> None:
    """End runs as Failed whose node is dead, whatever their functions' on_lost."""
    _do_to_lost(shell, ids, shell.managers.runs.mark_failed, "failed", expected, reason)


def _do_to_lost(
    shell: Shell,
    ids: Sequence[UUID | NoId],
    verb: Callable[..., Run],
    done: str,
    expected: str | None,
    reason: str | None,
) -> None:
    if expected is not None and len(ids) != 1:
        raise click.UsageError("--expected is of one id")
    on_each(shell, ids, lambda run_id: verb(run_id, expected=expected, reason=reason), lambda run: done)
