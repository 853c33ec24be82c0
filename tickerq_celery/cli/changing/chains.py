"""A chain as a whole: retry what failed in it, cancel the rest of it."""

from collections.abc import Sequence
from uuid import UUID

from tickerq_celery.cli import cells
from tickerq_celery.cli.changing.selection import Selection
from tickerq_celery.cli.shell import Shell
from tickerq_celery.cli.tables import Column
from tickerq_celery.tickers.chain_trees import ChainChange, ChainRun


def retry_chain(shell: Shell, run_id: UUID, selection: Selection) -> None:
    """Let all that failed in a run's chain start again, and show it."""
    changed = shell.managers.chains.retry_failed(run_id, expected=selection.expected, reason=selection.reason)
    _show(shell, changed)


def cancel_chain(shell: Shell, run_id: UUID, selection: Selection, *, terminate: bool) -> None:
    """Cancel all of a run's chain that has not ended, and show it."""
    changed = shell.managers.chains.cancel_rest(
        run_id, terminate=terminate, expected=selection.expected, reason=selection.reason
    )
    _show(shell, changed)


def _show(shell: Shell, changed: ChainChange) -> None:
    if shell.output.is_for_people:
        shell.output.listing(changed.runs, _COLUMNS, empty="nothing was changed")
    else:
        shell.output.value(changed, lambda: None)


def _note(member: ChainRun) -> str:
    return "is asked to cancel" if member.run.cancel_requested else member.waits_for or ""


_COLUMNS: Sequence[Column[ChainRun]] = (
    Column("ID", lambda member: str(member.run.id)),
    Column("STATUS", lambda member: member.run.status_word, lambda member: cells.status_style(member.run)),
    Column("FUNCTION", lambda member: "  " * member.depth + member.run.function),
    Column("NOTE", _note, folds=True),
)
