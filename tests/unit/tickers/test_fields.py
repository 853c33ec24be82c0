"""What type checkers know of a call's keywords is what the tickers have."""

from collections.abc import Collection
from typing import get_type_hints

import pytest

from tickerq_celery import CronTicker, TimeTicker
from tickerq_celery.managers.cron import cron_tickers
from tickerq_celery.managers.time_tickers import operations as time_ticker_operations
from tickerq_celery.tickers.call import FunctionLike
from tickerq_celery.tickers.celery_task import TaskLike
from tickerq_celery.tickers.fields import (
    CloneChanges,
    CronTickerChanges,
    ScheduleOptions,
    TaskScheduleOptions,
    TimeTickerChanges,
)
from tickerq_celery.tickers.kind_fields import OF_FUNCTIONS, OF_TASKS

PARAMETERS = {"function", "task", "request", "execution_time", "delay"}
OF_A_CHILD = {"run_condition"}


@pytest.mark.parametrize(
    ("keywords", "ticker", "but"),
    [
        (ScheduleOptions, TimeTicker, PARAMETERS | OF_A_CHILD | OF_TASKS.keys()),
        (TaskScheduleOptions, TimeTicker, PARAMETERS | OF_A_CHILD | OF_FUNCTIONS.keys()),
        (TimeTickerChanges, TimeTicker, time_ticker_operations.FIXED),
        (CloneChanges, TimeTicker, OF_A_CHILD),
        (CronTickerChanges, CronTicker, cron_tickers.FIXED),
    ],
)
def test_the_keywords_are_the_fields(keywords: type, ticker: type, but: Collection[str]) -> None:
    fields = {name: kind for name, kind in get_type_hints(ticker).items() if name[0] != "_"}
    # What a type checker lets it be set to.
    fields |= {"function": FunctionLike, "task": TaskLike}
    assert get_type_hints(keywords) == {name: kind for name, kind in fields.items() if name not in but}
