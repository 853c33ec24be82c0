"""``show ID``: all that is kept of a run or of a cron ticker."""

from uuid import UUID

import click

from tickerq_celery.cli.ids import TickerId
from tickerq_celery.cli.lookup import looked_up
from tickerq_celery.cli.reading.cron_details import write_cron
from tickerq_celery.cli.reading.run_details import write_run
from tickerq_celery.cli.shell import Shell, command
from tickerq_celery.tickers.json_values import as_json
from tickerq_celery.tickers.views import Run


@command("show")
@click.argument("ticker_id", metavar="ID", type=TickerId())
@click.option(
    "--log", "lines", default=20, show_default=True, type=click.IntRange(0), help="How many log lines."
)
def show(shell: Shell, ticker_id: UUID, lines: int) -> None:
    """Show a run or a cron ticker.

    A run comes with its attempts, its log, its chain and its request, a cron ticker with what comes next.
    """
    found = looked_up(shell, ticker_id)
    if not isinstance(found, Run):
        figures = shell.managers.cron_tickers.figures([found.id]).get(found.id)
        document = {**as_json(found), "figures": figures}
        shell.output.value(document, lambda: write_cron(shell, found, figures))
        return
    chain = None if found.root_id is None else shell.managers.chains.tree(found.id)
    document = {**as_json(found), "chain": chain}
    shell.output.value(document, lambda: write_run(shell.output, found, chain, lines))
