"""Add a run of a function: at a moment, after a delay, or now."""

from datetime import datetime, timedelta
from typing import Protocol

from tickerq_celery.enums import OnConflict, OnConflictLike
from tickerq_celery.tickers.call import FunctionLike
from tickerq_celery.tickers.fields import ScheduleOptions
from tickerq_celery.tickers.inputs import TimeTicker
from tickerq_celery.tickers.scheduling import asked_at
from tickerq_celery.tickers.sessions import SessionLike
from tickerq_celery.tickers.views import Run


class Adds(Protocol):
    """Where time tickers are added."""

    def add(
        self,
        ticker: TimeTicker,
        *,
        session: SessionLike | None = None,
        on_conflict: OnConflictLike = OnConflict.RAISE,
    ) -> Run:
        """Schedule a run and return it."""


def add(
    adds: Adds,
    function: FunctionLike,
    request: object,
    *,
    at: datetime | None,
    delay: timedelta | float | None,
    session: SessionLike | None,
    on_conflict: OnConflictLike,
    options: ScheduleOptions,
) -> Run:
    """Schedule a run and return it.

    Raises:
        TickerValidationError: Both ``at`` and ``delay`` are given, or a field cannot be stored.
    """
    moment = asked_at(at, delay)
    ticker = TimeTicker(function, execution_time=moment, delay=delay, request=request, **options)
    return adds.add(ticker, session=session, on_conflict=on_conflict)
