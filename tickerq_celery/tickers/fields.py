"""The fields of tickers as keywords: what ``schedule``, ``update`` and ``clone`` take."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from tickerq_celery.tickers.call import FunctionLike
from tickerq_celery.tickers.celery_task import TaskLike
from tickerq_celery.tickers.inputs import (
    OfCronTickers,
    OfEveryTicker,
    OfFunctions,
    OfNewTickers,
    OfTasks,
    TimeTicker,
)


class ScheduleOptions(OfEveryTicker, OfFunctions, OfNewTickers, total=False):
    """The fields of a TimeTicker that ``schedule`` of a function takes."""


class TaskScheduleOptions(OfEveryTicker, OfTasks, OfNewTickers, total=False):
    """The fields of a TimeTicker that ``schedule`` of a Celery task takes."""


class _OfEitherKind(OfEveryTicker, OfFunctions, OfTasks, total=False):
    function: FunctionLike
    task: TaskLike
    request: object


class TimeTickerChanges(_OfEitherKind, total=False):
    """The fields of a TimeTicker that may be changed."""

    execution_time: datetime | None
    delay: timedelta | float | None


class CloneChanges(TimeTickerChanges, OfNewTickers, total=False):
    """The fields of a TimeTicker that may differ from those of the one that it is a copy of."""


class CronTickerChanges(_OfEitherKind, OfCronTickers, total=False):
    """The fields of a CronTicker that may be changed."""

    expression: str | None
    every: timedelta | float | None
    children: Sequence[TimeTicker]
