"""What became of several cron tickers: exit code 1 where one is not there."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from tickerq_celery.cli.cron_words import state_of
from tickerq_celery.cli.output import Output
from tickerq_celery.cli.tables import Column
from tickerq_celery.managers.cron.pausing import MISSING
from tickerq_celery.tickers.cron_batches import CronBatch


@dataclass(frozen=True, slots=True, kw_only=True)
class CronResult:
    """What became of one of the ids: what was done, or why it was skipped.

    ``state`` and ``version`` are those of the cron ticker as it now is.
    """

    id: UUID
    done: str | None
    function: str | None = None
    state: str | None = None
    version: str | None = None
    skipped: str | None = None


def show_batch(output: Output, batch: CronBatch, done: str) -> None:
    """Show which cron tickers were changed, and why the others were skipped."""
    changed = [
        CronResult(id=each.id, done=done, function=each.function, state=state_of(each), version=each.version)
        for each in batch.changed
    ]
    skipped = [CronResult(id=each.id, done=None, skipped=each.reason) for each in batch.skipped]
    output.listing([*changed, *skipped], _COLUMNS, empty="")
    if any(each.reason == MISSING for each in batch.skipped):
        raise SystemExit(1)


_COLUMNS: Sequence[Column[CronResult]] = (
    Column("ID", lambda result: str(result.id)),
    Column(
        "RESULT",
        lambda result: result.done or "skipped",
        lambda result: "green" if result.skipped is None else "yellow",
    ),
    Column("FUNCTION", lambda result: result.function or ""),
    Column("NOTE", lambda result: result.skipped or result.state or "", folds=True),
)
