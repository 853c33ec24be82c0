"""The fields of tickers as keywords: what ``schedule``, ``update`` and ``clone`` take."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta

from tickerq_celery.enums import MisfirePolicyLike, OverlapPolicyLike
from tickerq_celery.tickers.call import FunctionLike
from tickerq_celery.tickers.celery_task import TaskLike
from tickerq_celery.tickers.inputs import OfEveryTicker, OfFunctions, OfNewTickers, OfTasks, TimeTicker


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


class CronTickerChanges(_OfEitherKind, total=False):
    """The fields of a CronTicker that may be changed."""

    expression: str | None
    every: timedelta | float | None
    time_zone: str | None
    day_or: bool
    start_at: datetime | None
    end_at: datetime | None
    max_runs: int | None
    exclude: Collection[date]
    jitter: timedelta | float
    is_enabled: bool
    misfire: MisfirePolicyLike
    misfire_limit: int
    misfire_grace: timedelta | float | None
    overlap: OverlapPolicyLike
    pause_on_failure: int | None
    children: Sequence[TimeTicker]
