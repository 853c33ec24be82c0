"""The SQL statements of the store, a module each, for all tests."""

from tickerq_celery.store.calls import execution_ends, executions
from tickerq_celery.store.cron import (
    cron_pauses,
    cron_tickers,
    due_crons,
    occurrences,
    paused_crons,
    pauses,
)
from tickerq_celery.store.cron import lists as cron_lists
from tickerq_celery.store.functions import (
    counts as function_counts,
)
from tickerq_celery.store.functions import (
    functions,
    seeders,
)
from tickerq_celery.store.functions import (
    names as function_names,
)
from tickerq_celery.store.health import backlog, orphans, wait_queues
from tickerq_celery.store.nodes import lost_nodes, nodes
from tickerq_celery.store.nodes import views as node_views
from tickerq_celery.store.outlook import outlook
from tickerq_celery.store.outlook import pages as outlook_pages
from tickerq_celery.store.reading import ordered_reads
from tickerq_celery.store.records import bulk_counts, bulk_runs, pruning, record_pruning
from tickerq_celery.store.runs import (
    capacity,
    chains,
    claims,
    concurrency,
    drops,
    due_flows,
    end_requests,
    ends,
    holds,
    lost_messages,
    manual_retries,
    overlaps,
    publications,
    rates,
    runs,
    starts,
)
from tickerq_celery.store.runs import (
    counts as run_counts,
)
from tickerq_celery.store.stats import counted_ends, rolled_figures, rollup_state, rollups

__all__ = [
    "backlog",
    "bulk_counts",
    "bulk_runs",
    "capacity",
    "chains",
    "claims",
    "concurrency",
    "counted_ends",
    "cron_lists",
    "cron_pauses",
    "cron_tickers",
    "drops",
    "due_crons",
    "due_flows",
    "end_requests",
    "ends",
    "execution_ends",
    "executions",
    "function_counts",
    "function_names",
    "functions",
    "holds",
    "lost_messages",
    "lost_nodes",
    "manual_retries",
    "node_views",
    "nodes",
    "occurrences",
    "ordered_reads",
    "orphans",
    "outlook",
    "outlook_pages",
    "overlaps",
    "paused_crons",
    "pauses",
    "pruning",
    "publications",
    "rates",
    "record_pruning",
    "rolled_figures",
    "rollup_state",
    "rollups",
    "run_counts",
    "runs",
    "seeders",
    "starts",
    "wait_queues",
]
