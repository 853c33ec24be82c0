"""Durable one-off and cron tickers with retries, on the Celery you already run."""

from tickerq_celery.decorator import ticker_function
from tickerq_celery.enums import (
    MisfirePolicy,
    OverlapPolicy,
    RunCondition,
    TickerPriority,
    TickerStatus,
    TickerType,
)
from tickerq_celery.errors import TerminateExecution, TickerCancelled, TickerError
from tickerq_celery.extension import TickerQ
from tickerq_celery.functions.context import TickerContext
from tickerq_celery.functions.cron_setting import CronSetting
from tickerq_celery.runtime.node import VERSION
from tickerq_celery.store.database.connections import prepare_sqlite_engine
from tickerq_celery.tickers.inputs import CronTicker, TimeTicker
from tickerq_celery.tickers.sessions import AsyncSessionLike, SessionLike
from tickerq_celery.tickers.views import Attempt, Cron, Run
from tickerq_celery.worker.exception_handler import TickerExceptionHandler

__version__ = VERSION

__all__ = [
    "AsyncSessionLike",
    "Attempt",
    "Cron",
    "CronSetting",
    "CronTicker",
    "MisfirePolicy",
    "OverlapPolicy",
    "Run",
    "RunCondition",
    "SessionLike",
    "TerminateExecution",
    "TickerCancelled",
    "TickerContext",
    "TickerError",
    "TickerExceptionHandler",
    "TickerPriority",
    "TickerQ",
    "TickerStatus",
    "TickerType",
    "TimeTicker",
    "prepare_sqlite_engine",
    "ticker_function",
]
