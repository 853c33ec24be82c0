"""What type checkers know of a call's keywords is what the tickers have."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any, get_type_hints
from uuid import UUID

import pytest

from tickerq_celery import CronTicker, TickerPriority, TickerStatus, TickerType, TimeTicker
from tickerq_celery.enums import (
    HoldReason,
    HoldReasonLike,
    Origin,
    OriginLike,
    TickerKind,
    TickerKindLike,
    TickerPriorityLike,
    TickerStatusLike,
    TickerTypeLike,
)
from tickerq_celery.managers.cron import cron_tickers
from tickerq_celery.managers.time_tickers import operations as time_ticker_operations
from tickerq_celery.tickers.call import FunctionLike
from tickerq_celery.tickers.celery_task import TaskLike
from tickerq_celery.tickers.criteria import CRITERIA, RunFilter
from tickerq_celery.tickers.fields import (
    CloneChanges,
    CronTickerChanges,
    ScheduleOptions,
    TaskScheduleOptions,
    TimeTickerChanges,
)
from tickerq_celery.tickers.kind_fields import OF_FUNCTIONS, OF_TASKS
from tickerq_celery.typing import RunCriteria, RunFilters

PARAMETERS = {"function", "task", "request", "execution_time", "delay"}
OF_A_CHILD = {"run_condition"}

# What a criterion may be given as, by what it is checked to be.
GIVEN_AS: dict[Any, Any] = {
    Collection[str] | None: str | Collection[str] | None,
    Collection[TickerStatus] | None: TickerStatusLike | Collection[TickerStatusLike] | None,
    timedelta | None: timedelta | float | None,
    UUID | None: UUID | str | None,
    HoldReason | None: HoldReasonLike | None,
    Origin | None: OriginLike | None,
    TickerKind | None: TickerKindLike | None,
    TickerPriority | None: TickerPriorityLike | None,
    TickerType | None: TickerTypeLike | None,
}


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


def test_the_keywords_of_a_search_are_its_criteria() -> None:
    criteria = get_type_hints(RunFilter)
    assert criteria.pop("exclude") == RunFilter | None
    assert list(CRITERIA) == list(criteria)
    assert get_type_hints(RunCriteria) == {name: GIVEN_AS.get(kind, kind) for name, kind in criteria.items()}
    assert get_type_hints(RunFilters).keys() - criteria == {"exclude"}
