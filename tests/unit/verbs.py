"""The verbs that a manager has for its users."""

import inspect
from collections.abc import Callable
from typing import Any

from tickerq_celery.managers.audit import AuditManager
from tickerq_celery.managers.bulk import BulkManager
from tickerq_celery.managers.cron.cron_tickers import CronTickerManager
from tickerq_celery.managers.error_groups import ErrorManager
from tickerq_celery.managers.functions import FunctionManager
from tickerq_celery.managers.health import HealthManager
from tickerq_celery.managers.nodes import NodeManager
from tickerq_celery.managers.outlook import OutlookManager
from tickerq_celery.managers.runs.chains import ChainManager
from tickerq_celery.managers.runs.runs import RunManager
from tickerq_celery.managers.stats import StatsManager
from tickerq_celery.managers.time_tickers.time_tickers import TimeTickerManager
from tickerq_celery.typing import PauseManager

MANAGERS = {
    "audit": AuditManager,
    "bulk": BulkManager,
    "chains": ChainManager,
    "cron_tickers": CronTickerManager,
    "errors": ErrorManager,
    "functions": FunctionManager,
    "health": HealthManager,
    "nodes": NodeManager,
    "outlook": OutlookManager,
    "pauses": PauseManager,
    "runs": RunManager,
    "stats": StatsManager,
    "time_tickers": TimeTickerManager,
}
READS = {
    "active", "backfill_preview", "by_first_start", "by_id_prefix", "by_name", "by_next_run",
    "check_request", "count",
    "counts", "durations", "explain", "explain_held", "figures", "find", "get", "get_batch",
    "groups", "history", "iterate", "lag", "lost", "misfits", "names", "occurrences",
    "preview", "probe", "queue_of", "report", "result", "throughput", "top_failing", "tree",
    "uncounted", "upcoming",
}  # fmt: skip
# How the manager's own transactions read; users have no transaction to pass.
INNER = {"got", "got_all", "reread"}


def verbs_of(manager: type) -> list[tuple[str, Callable[..., Any]]]:
    found = inspect.getmembers(manager, inspect.isfunction)
    return [(name, verb) for name, verb in found if not name.startswith("_") and name not in INNER]


def changing_verbs() -> dict[str, Callable[..., Any]]:
    """Return the verbs of all managers that change something: all that are no reads, by their names."""
    return {
        f"{at}.{name}": verb
        for at, manager in MANAGERS.items()
        for name, verb in verbs_of(manager)
        if name not in READS
    }
