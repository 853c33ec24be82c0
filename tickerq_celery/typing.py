"""The types that annotations of your own need: what ``TickerQ`` hands out, and the keywords of its calls.

``def remind(manager: TimeTickerManager) -> Run`` takes ``tickerq.time_tickers``. A wrapper takes the keywords
of what it wraps: ``def send_later(user: int, **options: Unpack[ScheduleOptions]) -> Run``.
"""

from tickerq_celery.functions.decorating import FunctionDecorator
from tickerq_celery.functions.function_call import FunctionCall
from tickerq_celery.functions.options import FunctionOptions
from tickerq_celery.functions.retention import KeptByStatus, Retention, RetentionSettings
from tickerq_celery.functions.ticker_function import ByName, ContextFunction, TickerFunction
from tickerq_celery.managers.acting import Managers
from tickerq_celery.managers.aio import Aio
from tickerq_celery.managers.audit import AsyncAudit, AuditManager
from tickerq_celery.managers.bulk import AsyncBulk, BulkManager
from tickerq_celery.managers.cron.cron_tickers import AsyncCronTickers, CronTickerManager
from tickerq_celery.managers.cron.lists import CronFilters
from tickerq_celery.managers.error_groups import AsyncErrors, ErrorManager
from tickerq_celery.managers.functions import AsyncFunctions, FunctionManager
from tickerq_celery.managers.health import AsyncHealth, HealthManager
from tickerq_celery.managers.nodes import AsyncNodes, NodeManager
from tickerq_celery.managers.outlook import AsyncOutlook, OutlookManager
from tickerq_celery.managers.pauses import AsyncPauses, PauseManager
from tickerq_celery.managers.runs.chains import AsyncChains, ChainManager
from tickerq_celery.managers.runs.runs import AsyncRuns, RunManager
from tickerq_celery.managers.stats import AsyncStats, StatsManager
from tickerq_celery.managers.time_tickers.time_tickers import AsyncTimeTickers, TimeTickerManager
from tickerq_celery.runtime.config import Settings
from tickerq_celery.tickers.call import Call, FunctionLike, NamedFunction
from tickerq_celery.tickers.celery_task import CelerySignature, CeleryTask, TaskLike
from tickerq_celery.tickers.criteria import RunCriteria, RunFilters
from tickerq_celery.tickers.fields import (
    CloneChanges,
    CronTickerChanges,
    ScheduleOptions,
    TaskScheduleOptions,
    TimeTickerChanges,
)
from tickerq_celery.tickers.versions import ExpectedLike, Versioned

__all__ = [
    "Aio",
    "AsyncAudit",
    "AsyncBulk",
    "AsyncChains",
    "AsyncCronTickers",
    "AsyncErrors",
    "AsyncFunctions",
    "AsyncHealth",
    "AsyncNodes",
    "AsyncOutlook",
    "AsyncPauses",
    "AsyncRuns",
    "AsyncStats",
    "AsyncTimeTickers",
    "AuditManager",
    "BulkManager",
    "ByName",
    "Call",
    "CelerySignature",
    "CeleryTask",
    "ChainManager",
    "CloneChanges",
    "ContextFunction",
    "CronFilters",
    "CronTickerChanges",
    "CronTickerManager",
    "ErrorManager",
    "ExpectedLike",
    "FunctionCall",
    "FunctionDecorator",
    "FunctionLike",
    "FunctionManager",
    "FunctionOptions",
    "HealthManager",
    "KeptByStatus",
    "Managers",
    "NamedFunction",
    "NodeManager",
    "OutlookManager",
    "PauseManager",
    "Retention",
    "RetentionSettings",
    "RunCriteria",
    "RunFilters",
    "RunManager",
    "ScheduleOptions",
    "Settings",
    "StatsManager",
    "TaskLike",
    "TaskScheduleOptions",
    "TickerFunction",
    "TimeTickerChanges",
    "TimeTickerManager",
    "Versioned",
]
