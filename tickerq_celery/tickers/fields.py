"""The fields of tickers as keywords: what ``schedule``, ``update`` and ``clone`` take."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import TypedDict

from tickerq_celery.enums import MisfirePolicyLike, OverlapPolicyLike, TickerPriorityLike
from tickerq_celery.tickers.call import FunctionLike
from tickerq_celery.tickers.inputs import TimeTicker


class _OfEveryTicker(TypedDict, total=False):
    description: str | None
    retries: int | None
    retry_intervals: Sequence[timedelta | float] | None
    timeout: timedelta | float | None
    hard_timeout: timedelta | float | None
    priority: TickerPriorityLike | None
    queue: str | None
    concurrency_key: str | None
    tags: Sequence[str]


class ScheduleOptions(_OfEveryTicker, total=False):
    """The fields of a TimeTicker that ``schedule`` takes."""

    unique_key: str | None
    namespace: str | None
    children: Sequence[TimeTicker]


class TimeTickerChanges(_OfEveryTicker, total=False):
    """The fields of a TimeTicker that may be changed."""

    function: FunctionLike
    execution_time: datetime | None
    delay: timedelta | float | None
    request: object


class CloneChanges(TimeTickerChanges, ScheduleOptions, total=False):
    """The fields of a TimeTicker that may differ from those of the one that it is a copy of."""


class CronTickerChanges(_OfEveryTicker, total=False):
    """The fields of a CronTicker that may be changed."""

    function: FunctionLike
    expression: str | None
    every: timedelta | float | None
    time_zone: str | None
    day_or: bool
    start_at: datetime | None
    end_at: datetime | None
    max_runs: int | None
    exclude: Collection[date]
    jitter: timedelta | float
    request: object
    is_enabled: bool
    misfire: MisfirePolicyLike
    misfire_limit: int
    misfire_grace: timedelta | float | None
    overlap: OverlapPolicyLike
    pause_on_failure: int | None
    children: Sequence[TimeTicker]
