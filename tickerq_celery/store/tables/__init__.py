"""The tables of the store: every name written out, every guarantee a constraint."""

from tickerq_celery.store.tables.conventions import metadata
from tickerq_celery.store.tables.operations import audit, bulk
from tickerq_celery.store.tables.processes import drops, functions, lost_nodes, meta, nodes, pauses, seeders
from tickerq_celery.store.tables.revocations import revocations
from tickerq_celery.store.tables.rollups import rollup_state, rollups
from tickerq_celery.store.tables.runs import attempts, cron_tickers, logs, progress, tickers

__all__ = [
    "attempts",
    "audit",
    "bulk",
    "cron_tickers",
    "drops",
    "functions",
    "logs",
    "lost_nodes",
    "meta",
    "metadata",
    "nodes",
    "pauses",
    "progress",
    "revocations",
    "rollup_state",
    "rollups",
    "seeders",
    "tickers",
]
