"""Add a run of a function: at a moment, after a delay, or now."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from tickerq_celery import validation
from tickerq_celery.enums import OnConflict, OnConflictLike
from tickerq_celery.errors import TickerValidationError, UnknownKeywordError
from tickerq_celery.payload.redaction import discreet
from tickerq_celery.tickers.call import FunctionLike
from tickerq_celery.tickers.fields import ScheduleOptions
from tickerq_celery.tickers.inputs import TimeTicker
from tickerq_celery.tickers.keywords import refuse_unknown
from tickerq_celery.tickers.sessions import SessionLike
from tickerq_celery.tickers.views import Run

_FIELDS = list(ScheduleOptions.__annotations__)
# The parameters of ``schedule`` besides the request.
_PARAMETERS = ["at", "delay", "session", "on_conflict"]
# What users of Celery and of TimeTicker write, and the keywords of ``schedule`` that stand for it.
_MEANT = {"execution_time": "at=", "eta": "at=, an aware datetime", "countdown": "delay=, in seconds"}


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
    if at is not None and delay is not None:
        raise TickerValidationError("delay", delay, "pass at or delay, not both")
    moment = None if at is None else validation.moment("at", at)
    ticker = TimeTicker(function, execution_time=moment, delay=delay, request=request, **options)
    return adds.add(ticker, session=session, on_conflict=on_conflict)


def refuse_keywords(
    keywords: Mapping[str, object],
    *,
    own: Sequence[str] = (),
    meant: Mapping[str, str] | None = None,
    in_request: frozenset[str] = frozenset(),
    advice: Callable[[Sequence[str]], str] | None = None,
) -> None:
    """Refuse keywords that ``schedule`` does not take.

    ``own`` are parameters of this one beside those of all, ``meant`` what stands here for others' keywords,
    ``in_request`` names that a request has, and ``advice`` is as in ``refuse_unknown``.

    Raises:
        UnknownKeywordError: There are such keywords.
    """
    for name, instead in {**_MEANT, **(meant or {})}.items():
        if name in keywords and name not in in_request:
            raise UnknownKeywordError(name, discreet([name], keywords[name]), f"pass {instead}")
    refuse_unknown(
        "schedule has no such keyword",
        keywords,
        [*own, *_PARAMETERS, *_FIELDS],
        advice=advice,
        never_meant=in_request,
    )
