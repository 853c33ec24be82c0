"""The tables of the store: every name written out, every guarantee a constraint."""

from tickerq_celery.store.tables.conventions import metadata
from tickerq_celery.store.tables.processes import drops, functions, meta, nodes, pauses, seeders
from tickerq_celery.store.tables.runs import attempts, cron_tickers, logs, progress, tickers

__all__ = [
    "attempts",
    "cron_tickers",
    "drops",
    "functions",
    "logs",
    "meta",
    "metadata",
    "nodes",
    "pauses",
    "progress",
    "seeders",
    "tickers",
]
