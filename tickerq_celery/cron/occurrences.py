"""Store new occurrences, each with its own copy of the chain of its cron ticker."""

from collections.abc import Sequence
from datetime import datetime

from tickerq_celery.store import cron_tickers, runs
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.tickers.cron_rows import CronRow
from tickerq_celery.tickers.run_rows import RunRow, occurrence_children


def store(tx: Transaction, cron: CronRow, rows: Sequence[RunRow], *, now: datetime) -> None:
    """Insert occurrences of a locked cron ticker; those whose instant is there already stay as they are."""
    cron_tickers.add_occurrences(tx, rows)
    heads = {row.id: row for row in rows if row.has_children}
    # Where the instant had its occurrence already, ours was not stored, and that one has its chain.
    for head_id in cron_tickers.stored_among(tx, heads):
        runs.insert(tx, occurrence_children(cron, heads[head_id], now=now))
