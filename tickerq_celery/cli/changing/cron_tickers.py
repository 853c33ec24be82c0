"""``skip-next``, ``unskip-next``, ``backfill``, ``revert``, ``delete-cron``: what is done to one of them."""

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

import click

from tickerq_celery.cli import cells
from tickerq_celery.cli.asking import confirm, yes_option
from tickerq_celery.cli.changing.selection import expected_option, reason_option
from tickerq_celery.cli.cron_words import show_cron_state
from tickerq_celery.cli.ids import TickerId
from tickerq_celery.cli.shell import Shell, command
from tickerq_celery.cli.tables import Column
from tickerq_celery.cli.words import Moment
from tickerq_celery.tickers.views import Run


def _of_a_cron(body: Callable[..., None]) -> Callable[..., None]:
    cron_id = click.argument("cron_id", metavar="CRON_ID", type=TickerId())
    decorated: Callable[..., None] = cron_id(reason_option(expected_option(body)))
    return decorated


@command("skip-next", acts=True)
@_of_a_cron
def skip_next(shell: Shell, cron_id: UUID, reason: str | None, expected: str | None) -> None:
    """Let a cron ticker's next instant pass; it is recorded as a Skipped occurrence."""
    cron = shell.managers.cron_tickers.skip_next(cron_id, expected=expected, reason=reason)
    show_cron_state(shell.output, cron)


@command("unskip-next", acts=True)
@_of_a_cron
def unskip_next(shell: Shell, cron_id: UUID, reason: str | None, expected: str | None) -> None:
    """Undo the latest skip-next whose instant is still to come."""
    cron = shell.managers.cron_tickers.unskip_next(cron_id, expected=expected, reason=reason)
    show_cron_state(shell.output, cron)


@command("revert", acts=True)
@_of_a_cron
def revert(shell: Shell, cron_id: UUID, reason: str | None, expected: str | None) -> None:
    """Let a cron ticker fire by its code's expression and time zone again."""
    cron = shell.managers.cron_tickers.revert_to_code(cron_id, expected=expected, reason=reason)
    show_cron_state(shell.output, cron)


@command("backfill", acts=True)
@_of_a_cron
@click.option("--since", required=True, type=Moment(), help="From this moment on.")
@click.option("--until", required=True, type=Moment(), help="Before this moment.")
@click.option(
    "--per-minute", default=60, show_default=True, type=int, help="How many of them fall due in a minute."
)
def backfill(
    shell: Shell,
    cron_id: UUID,
    since: datetime,
    until: datetime,
    per_minute: int,
    reason: str | None,
    expected: str | None,
) -> None:
    """Create the occurrences of all instants of a past span that have none, and let them run."""
    made = shell.managers.cron_tickers.backfill(
        cron_id, since, until, per_minute=per_minute, expected=expected, reason=reason
    )
    shell.output.listing(made, _OCCURRENCES, empty="every instant of this span has its occurrence")


@command("delete-cron", acts=True)
@_of_a_cron
@yes_option
def delete_cron(shell: Shell, cron_id: UUID, reason: str | None, expected: str | None, is_sure: bool) -> None:
    """Delete a cron ticker with all of its occurrences, whatever their status."""
    managers = shell.managers
    cron = managers.cron_tickers.get(cron_id)
    comes_back = "; code defines it, so it is stored anew when a worker starts" if cron.is_seeded else ""
    question = (
        f"delete cron ticker {cron.id} of {cron.function} ({cron.expression}) with all of its occurrences"
        f"{comes_back}?"
    )
    confirm(question, is_sure=is_sure)
    managers.cron_tickers.delete(cron_id, expected=expected, reason=reason)
    shell.output.value({"id": cron.id, "deleted": True}, lambda: shell.output.line(f"deleted {cron.id}"))


_OCCURRENCES: Sequence[Column[Run]] = (
    Column("ID", lambda run: str(run.id)),
    Column("STATUS", lambda run: run.status_word, cells.status_style),
    Column("INSTANT", lambda run: cells.moment(run.execution_time)),
    Column("DUE", lambda run: cells.moment(run.next_attempt_at)),
)
