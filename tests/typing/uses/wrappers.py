"""A user's own functions around the package's, with its types in their annotations."""

from datetime import timedelta
from typing import Unpack

from celery import Celery
from sqlalchemy.orm import Session

from tickerq_celery import Run, SessionLike, TickerQ
from tickerq_celery.enums import TickerPriorityLike, TickerStatusLike
from tickerq_celery.typing import CloneChanges, RunFilters, Settings, TimeTickerChanges

SETTINGS: Settings = {"lease": timedelta(minutes=1), "capture_logs": "INFO"}
WRONG: Settings = {"leese": 60}  # refused: typeddict-unknown-key | reportAssignmentType
tickerq = TickerQ(Celery("shop"), **SETTINGS)


def postpone(run: Run, session: SessionLike, **changes: Unpack[TimeTickerChanges]) -> Run:
    return tickerq.time_tickers.update(run.id, session=session, **changes)


def again(run: Run, **changes: Unpack[CloneChanges]) -> Run:
    return tickerq.time_tickers.clone(run.id, **changes)


def first(**filters: Unpack[RunFilters]) -> Run | None:
    return next(iter(tickerq.runs.find(limit=1, **filters)), None)


def count(status: TickerStatusLike) -> int:
    return tickerq.runs.count(status=status)


def urge(run: Run, session: Session, priority: TickerPriorityLike = "high") -> None:
    postpone(run, session, priority=priority)
    again(run, description="again")
    first(status="done", function="send")
    count("failed")

    postpone(run, "session", priority=priority)  # refused: arg-type | reportArgumentType
    postpone(run, session, prioritee=priority)  # refused: call-arg | reportCallIssue
    again(run, description=3)  # refused: arg-type | reportArgumentType
    first(status="open")  # refused: arg-type | reportArgumentType
    count("open")  # refused: arg-type | reportArgumentType
