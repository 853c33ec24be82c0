"""What ``schedule`` of a function adds: a run at a moment, after a delay, or now."""

from datetime import datetime, timedelta
from typing import Any, Protocol

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
        allow_unknown: bool = False,
        on_conflict: OnConflictLike = OnConflict.RAISE,
    ) -> Run:
        """Schedule a run and return it."""


def asked_ticker(
    function: FunctionLike,
    request: object,
    *,
    at: datetime | None,
    delay: timedelta | float | None,
    options: ScheduleOptions,
) -> TimeTicker:
    """Return the ticker that a call of ``schedule`` asks for.

    Raises:
        TickerValidationError: Both ``at`` and ``delay`` are given, or a field cannot be stored.
    """
    # Of a call, type checkers let a TimeTicker have no request: it is None there.
    fields: dict[str, Any] = {
        **options,
        "request": request,
        "delay": delay,
        "execution_time": asked_at(at, delay),
    }
    return TimeTicker(function, **fields)
