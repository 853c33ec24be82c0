"""``explain``: why a run does not run."""

from uuid import UUID

import click

from tickerq_celery.cli.ids import TickerId
from tickerq_celery.cli.lookup import refuse_cron
from tickerq_celery.cli.shell import Shell, command
from tickerq_celery.errors import TickerNotFoundError
from tickerq_celery.tickers.explanations import RunExplanation


@command("explain")
@click.argument("run_id", metavar="ID", type=TickerId(), required=False)
def explain(shell: Shell, run_id: UUID | None) -> None:
    """Explain why a run does not run, and who or what can change it."""
    if run_id is None:
        raise click.UsageError(
            "Missing argument 'ID': `tickerq runs --active` lists what waits, `tickerq health` says why"
        )
    try:
        found = shell.managers.runs.explain(run_id)
    except TickerNotFoundError:
        refuse_cron(shell, run_id)
        raise
    shell.output.value(found, lambda: _show(shell, found))


def _show(shell: Shell, found: RunExplanation) -> None:
    output = shell.output
    output.line(f"{found.function} {found.run_id}: {found.summary}")
    if found.detail is not None:
        output.line(found.detail)
    if found.remedy is not None:
        output.line(f"To change it: {found.remedy}")
    for before, waits in (("", found.waits), ("A retry would wait: ", found.retry_waits)):
        for wait in waits:
            output.line()
            output.line(f"{before}{wait.text}")
            if wait.error_head is not None:
                output.line(f"The last error: {wait.error_head}")
            if wait.remedy is not None:
                output.line(f"To change it: {wait.remedy}")
