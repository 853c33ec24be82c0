"""``pauses``: which functions and tags are paused, or everything, since when, by whom and why."""

from collections.abc import Sequence

from tickerq_celery.cli import cells
from tickerq_celery.cli.shell import Shell, command
from tickerq_celery.cli.tables import Column
from tickerq_celery.tickers.pauses import Pause


@command("pauses")
def pauses(shell: Shell) -> None:
    """List what is paused of functions and tags, the oldest pause first.

    Cron tickers that are paused one by one: crons --paused.
    """
    empty = "no function or tag is paused; cron tickers that are: tickerq crons --paused"
    shell.output.listing(shell.managers.pauses.find(), _COLUMNS, empty=empty)


_COLUMNS: Sequence[Column[Pause]] = (
    Column("PAUSED", lambda pause: f"{pause.kind} {pause.name}".rstrip()),
    Column("SINCE", lambda pause: cells.moment(pause.paused_at)),
    Column("BY", lambda pause: pause.paused_by or ""),
    Column("REASON", lambda pause: pause.reason or "", folds=True),
)
