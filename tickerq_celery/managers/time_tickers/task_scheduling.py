"""Schedule a Celery task in one call, as ``schedule`` of a function does."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Generic, Unpack

from tickerq_celery.enums import OnConflict, OnConflictLike
from tickerq_celery.managers.unit_of_work import refuse_async_session
from tickerq_celery.tickers.celery_task import TaskLike
from tickerq_celery.tickers.fields import TaskScheduleOptions
from tickerq_celery.tickers.inputs import TimeTicker
from tickerq_celery.tickers.kind_fields import refuse_keywords_of_functions
from tickerq_celery.tickers.scheduling import asked_at, refuse_keywords
from tickerq_celery.tickers.sessions import SessionT
from tickerq_celery.tickers.views import Run

if TYPE_CHECKING:
    from tickerq_celery.managers.time_tickers.time_tickers import TimeTickerManager


class TaskScheduling(Generic[SessionT]):
    """Schedules runs of Celery tasks, each by one call."""

    @property
    def _time_tickers(self) -> "TimeTickerManager[SessionT]":
        """Where they are added."""
        raise NotImplementedError

    def schedule(
        self,
        task: TaskLike,
        *,
        at: datetime | None = None,
        delay: timedelta | float | None = None,
        session: SessionT | None = None,
        on_conflict: OnConflictLike = OnConflict.RAISE,
        allow_unknown: bool = False,
        **ticker: Unpack[TaskScheduleOptions],
    ) -> Run:
        """Schedule a run of a Celery task at a moment, after a ``delay`` (seconds or a timedelta), or now.

        ``task`` is a signature, ``add.s(2, 3)``, the task itself, or its name; the latter two take ``args``,
        ``kwargs`` and ``options``. ``session``, ``on_conflict`` and ``allow_unknown`` are those of
        ``time_tickers.add``; further keywords are fields of TimeTicker.

        Raises:
            TickerValidationError: Both ``at`` and ``delay`` are given, or a field cannot be stored.
            UnknownTaskError: The task is not imported here, and no stored ticker names it.
            UnknownKeywordError: A keyword is no field.
            DuplicateTickerError: A ticker with the same unique key is not terminal.
        """
        refuse_async_session(session, verb="schedule")
        refuse_keywords_of_functions(ticker)
        refuse_keywords(ticker, TaskScheduleOptions)
        moment = asked_at(at, delay)
        added = TimeTicker(task=task, execution_time=moment, delay=delay, **ticker)
        return self._time_tickers.add(
            added, session=session, on_conflict=on_conflict, allow_unknown=allow_unknown
        )
