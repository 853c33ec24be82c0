"""The fields of tickers as keywords: what ``schedule``, ``update`` and ``clone`` take."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import TypedDict

from tickerq_celery.enums import MisfirePolicyLike, OnLostLike, OverlapPolicyLike, TickerPriorityLike
from tickerq_celery.tickers.call import FunctionLike
from tickerq_celery.tickers.celery_task import TaskLike
from tickerq_celery.tickers.inputs import TimeTicker


class _OfEveryTicker(TypedDict, total=False):
    description: str | None
    priority: TickerPriorityLike | None
    queue: str | None
    tags: Sequence[str]


class _OfFunctions(TypedDict, total=False):
    retries: int | None
    retry_intervals: Sequence[timedelta | float] | None
    timeout: timedelta | float | None
    hard_timeout: timedelta | float | None
    concurrency_key: str | None


class _OfTasks(TypedDict, total=False):
    args: Sequence[object]
    kwargs: Mapping[str, object]
    options: Mapping[str, object]
    on_lost: OnLostLike | None


class _OfNewTickers(TypedDict, total=False):
    unique_key: str | None
    namespace: str | None
    children: Sequence[TimeTicker]


class ScheduleOptions(_OfEveryTicker, _OfFunctions, _OfNewTickers, total=False):
    """The fields of a TimeTicker that ``schedule`` of a function takes."""


class TaskScheduleOptions(_OfEveryTicker, _OfTasks, _OfNewTickers, total=False):
    """The fields of a TimeTicker that ``schedule`` of a Celery task takes."""


class _OfEitherKind(_OfEveryTicker, _OfFunctions, _OfTasks, total=False):
    function: FunctionLike
    task: TaskLike
    request: object


class TimeTickerChanges(_OfEitherKind, total=False):
    """The fields of a TimeTicker that may be changed."""

    execution_time: datetime | None
    delay: timedelta | float | None


class CloneChanges(TimeTickerChanges, _OfNewTickers, total=False):
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
