"""Durable one-off and cron tickers with retries, on the Celery you already run."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
    from tickerq_celery.store.database.connections import prepare_sqlite_engine
    from tickerq_celery.tickers.inputs import CronTicker, TimeTicker
    from tickerq_celery.tickers.sessions import AsyncSessionLike, SessionLike
    from tickerq_celery.tickers.views import Attempt, Cron, Run
    from tickerq_celery.worker.exception_handler import TickerExceptionHandler

    __version__: str
else:

    def __getattr__(name: str) -> object:
        if name not in _PLACES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        module, _, other = _PLACES[name].partition(":")
        found = globals()[name] = getattr(import_module(f"{__name__}.{module}"), other or name)
        return found

    def __dir__() -> list[str]:
        return sorted({*globals(), *_PLACES})


# Where each name is: its module is imported when it is first asked for, as `tickerq --help` asks for none.
_PLACES = {
    "AsyncSessionLike": "tickers.sessions",
    "Attempt": "tickers.views",
    "Cron": "tickers.views",
    "CronSetting": "functions.cron_setting",
    "CronTicker": "tickers.inputs",
    "MisfirePolicy": "enums",
    "OverlapPolicy": "enums",
    "Run": "tickers.views",
    "RunCondition": "enums",
    "SessionLike": "tickers.sessions",
    "TerminateExecution": "errors",
    "TickerCancelled": "errors",
    "TickerContext": "functions.context",
    "TickerError": "errors",
    "TickerExceptionHandler": "worker.exception_handler",
    "TickerPriority": "enums",
    "TickerQ": "extension",
    "TickerStatus": "enums",
    "TickerType": "enums",
    "TimeTicker": "tickers.inputs",
    "__version__": "runtime.node:VERSION",
    "prepare_sqlite_engine": "store.database.connections",
    "ticker_function": "decorator",
}

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
