"""What an id belongs to: a run, or a cron ticker."""

from uuid import UUID

import click

from tickerq_celery.cli.shell import Shell
from tickerq_celery.errors import TickerNotFoundError
from tickerq_celery.tickers.views import Cron, Run


def looked_up(shell: Shell, wanted: UUID) -> Run | Cron:
    """Return the run or the cron ticker of an id.

    Raises:
        TickerNotFoundError: There is neither.
    """
    try:
        return shell.managers.runs.get(wanted)
    except TickerNotFoundError:
        pass
    try:
        return shell.managers.cron_tickers.get(wanted)
    except TickerNotFoundError:
        raise TickerNotFoundError("run and no cron ticker", wanted) from None


def refuse_cron(shell: Shell, wanted: UUID) -> None:
    """Refuse the id of a cron ticker where that of a run is wanted, with what there is about it.

    Raises:
        click.UsageError: It is one.
    """
    try:
        cron = shell.managers.cron_tickers.get(wanted)
    except TickerNotFoundError:
        return
    raise click.UsageError(
        f"{wanted} is a cron ticker of {cron.function}, and no run: `tickerq show {wanted}` says when it "
        f"fires, `tickerq runs --cron {wanted}` lists its runs"
    )
