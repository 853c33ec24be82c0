"""What an id belongs to: a run, or a cron ticker."""

from uuid import UUID

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
