"""The keywords of calls, as TypedDicts for the ``Unpack`` of a wrapper of your own.

``def send_later(user: int, **options: Unpack[ScheduleOptions]) -> Run`` takes what ``schedule`` takes, and
type checkers know it.
"""

from tickerq_celery.functions.options import FunctionOptions
from tickerq_celery.managers.filters import RunFilters
from tickerq_celery.runtime.config import Settings
from tickerq_celery.tickers.fields import CloneChanges, CronTickerChanges, ScheduleOptions, TimeTickerChanges

__all__ = [
    "CloneChanges",
    "CronTickerChanges",
    "FunctionOptions",
    "RunFilters",
    "ScheduleOptions",
    "Settings",
    "TimeTickerChanges",
]
