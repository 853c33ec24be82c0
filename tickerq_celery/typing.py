"""The types that annotations of your own need: what ``TickerQ`` hands out, and the keywords of its calls.

``def remind(manager: TimeTickerManager) -> Run`` takes ``tickerq.time_tickers``. A wrapper takes the keywords
of what it wraps: ``def send_later(user: int, **options: Unpack[ScheduleOptions]) -> Run``.
"""

from tickerq_celery.functions.decorating import FunctionDecorator
from tickerq_celery.functions.function_call import FunctionCall
from tickerq_celery.functions.options import FunctionOptions
from tickerq_celery.functions.ticker_function import ByName, ContextFunction, TickerFunction
from tickerq_celery.managers.aio import Aio, AsyncCronTickers, AsyncPauses, AsyncRuns, AsyncTimeTickers
from tickerq_celery.managers.cron_tickers import CronTickerManager
from tickerq_celery.managers.filters import RunFilters
from tickerq_celery.managers.pauses import PauseManager
from tickerq_celery.managers.runs import RunManager
from tickerq_celery.managers.time_tickers import TimeTickerManager
from tickerq_celery.runtime.config import Settings
from tickerq_celery.tickers.call import Call, FunctionLike, NamedFunction
from tickerq_celery.tickers.celery_task import CelerySignature, CeleryTask, TaskLike
from tickerq_celery.tickers.fields import (
    CloneChanges,
    CronTickerChanges,
    ScheduleOptions,
    TaskScheduleOptions,
    TimeTickerChanges,
)

__all__ = [
    "Aio",
    "AsyncCronTickers",
    "AsyncPauses",
    "AsyncRuns",
    "AsyncTimeTickers",
    "ByName",
    "Call",
    "CelerySignature",
    "CeleryTask",
    "CloneChanges",
    "ContextFunction",
    "CronTickerChanges",
    "CronTickerManager",
    "FunctionCall",
    "FunctionDecorator",
    "FunctionLike",
    "FunctionOptions",
    "NamedFunction",
    "PauseManager",
    "RunFilters",
    "RunManager",
    "ScheduleOptions",
    "Settings",
    "TaskLike",
    "TaskScheduleOptions",
    "TickerFunction",
    "TimeTickerChanges",
    "TimeTickerManager",
]
