"""What ``TickerQ`` and ``ticker_function`` hand out to be called, for annotations of your own.

``def remind(manager: TimeTickerManager) -> Run`` takes ``tickerq.time_tickers``.
"""

from tickerq_celery.functions.decorating import FunctionDecorator
from tickerq_celery.functions.function_call import FunctionCall
from tickerq_celery.functions.ticker_function import TickerFunction
from tickerq_celery.managers.aio import Aio, AsyncCronTickers, AsyncPauses, AsyncRuns, AsyncTimeTickers
from tickerq_celery.managers.cron_tickers import CronTickerManager
from tickerq_celery.managers.pauses import PauseManager
from tickerq_celery.managers.runs import RunManager
from tickerq_celery.managers.time_tickers import TimeTickerManager
from tickerq_celery.tickers.call import Call, FunctionLike, NamedFunction

__all__ = [
    "Aio",
    "AsyncCronTickers",
    "AsyncPauses",
    "AsyncRuns",
    "AsyncTimeTickers",
    "Call",
    "CronTickerManager",
    "FunctionCall",
    "FunctionDecorator",
    "FunctionLike",
    "NamedFunction",
    "PauseManager",
    "RunManager",
    "TickerFunction",
    "TimeTickerManager",
]
