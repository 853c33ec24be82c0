"""The managers, each imported when it is first used: a process that only adds needs one of them."""

from typing import TYPE_CHECKING

from tickerq_celery.deferred import Deferred

if TYPE_CHECKING:
    from tickerq_celery.managers.aio import Aio
    from tickerq_celery.managers.audit import AuditManager
    from tickerq_celery.managers.bulk import BulkManager
    from tickerq_celery.managers.cron.cron_tickers import CronTickerManager
    from tickerq_celery.managers.error_groups import ErrorManager
    from tickerq_celery.managers.functions import FunctionManager
    from tickerq_celery.managers.health import HealthManager
    from tickerq_celery.managers.nodes import NodeManager
    from tickerq_celery.managers.outlook import OutlookManager
    from tickerq_celery.managers.pauses import PauseManager
    from tickerq_celery.managers.runs.chains import ChainManager
    from tickerq_celery.managers.runs.runs import RunManager
    from tickerq_celery.managers.settings_report import settings_report
    from tickerq_celery.managers.stats import StatsManager
    from tickerq_celery.managers.time_tickers.task_scheduling import TaskScheduling
    from tickerq_celery.managers.time_tickers.time_tickers import TimeTickerManager
else:
    Aio = Deferred("tickerq_celery.managers.aio", "Aio")
    AuditManager = Deferred("tickerq_celery.managers.audit", "AuditManager")
    BulkManager = Deferred("tickerq_celery.managers.bulk", "BulkManager")
    CronTickerManager = Deferred("tickerq_celery.managers.cron.cron_tickers", "CronTickerManager")
    ErrorManager = Deferred("tickerq_celery.managers.error_groups", "ErrorManager")
    FunctionManager = Deferred("tickerq_celery.managers.functions", "FunctionManager")
    HealthManager = Deferred("tickerq_celery.managers.health", "HealthManager")
    NodeManager = Deferred("tickerq_celery.managers.nodes", "NodeManager")
    OutlookManager = Deferred("tickerq_celery.managers.outlook", "OutlookManager")
    PauseManager = Deferred("tickerq_celery.managers.pauses", "PauseManager")
    ChainManager = Deferred("tickerq_celery.managers.runs.chains", "ChainManager")
    RunManager = Deferred("tickerq_celery.managers.runs.runs", "RunManager")
    settings_report = Deferred("tickerq_celery.managers.settings_report", "settings_report")
    StatsManager = Deferred("tickerq_celery.managers.stats", "StatsManager")
    TaskScheduling = Deferred("tickerq_celery.managers.time_tickers.task_scheduling", "TaskScheduling")
    TimeTickerManager = Deferred("tickerq_celery.managers.time_tickers.time_tickers", "TimeTickerManager")

__all__ = [
    "Aio",
    "AuditManager",
    "BulkManager",
    "ChainManager",
    "CronTickerManager",
    "ErrorManager",
    "FunctionManager",
    "HealthManager",
    "NodeManager",
    "OutlookManager",
    "PauseManager",
    "RunManager",
    "StatsManager",
    "TaskScheduling",
    "TimeTickerManager",
    "settings_report",
]
