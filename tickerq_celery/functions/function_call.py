"""A checked call of a function: it schedules itself, and stands where a function and its request do."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NoReturn, Unpack

from tickerq_celery.enums import OnConflict, OnConflictLike
from tickerq_celery.errors import CallError, NoCeleryTaskError
from tickerq_celery.functions.adding import Adds, asked_ticker
from tickerq_celery.functions.no_signature import NoSignature, no_canvas, refuse_attribute
from tickerq_celery.tickers.call import Call
from tickerq_celery.tickers.fields import ScheduleOptions
from tickerq_celery.tickers.scheduling import refuse_keywords
from tickerq_celery.tickers.sessions import SessionLike
from tickerq_celery.tickers.views import Run

_SCHEDULE = "use .schedule(), with at= or delay= where it shall run later"
_INSTEAD_OF = {
    "delay": _SCHEDULE,
    "apply_async": _SCHEDULE,
    "apply": "calling the function runs it here and now",
}


@dataclass(frozen=True, kw_only=True)
class FunctionCall(Call, NoSignature):
    """A call of a function with its arguments, checked when it was made: ``send.s(user_id=3)``.

    Its arguments are a copy, as a run gets them: what the caller does to its own objects changes nothing.
    """

    _manager: Callable[[], Adds] = field(repr=False, compare=False)

    def schedule(
        self,
        *,
        at: datetime | None = None,
        delay: timedelta | float | None = None,
        session: SessionLike | None = None,
        on_conflict: OnConflictLike = OnConflict.RAISE,
        allow_unknown: bool = False,
        **ticker: Unpack[ScheduleOptions],
    ) -> Run:
        """Schedule a run of it at a moment, after a ``delay`` (seconds or a timedelta), or now.

        ``session``, ``on_conflict`` and ``allow_unknown`` are those of ``add``; further keywords are fields
        of TimeTicker.

        Raises:
            TickerValidationError: Both ``at`` and ``delay`` are given, or a field cannot be stored.
            UnknownKeywordError: A keyword is no field.
        """
        refuse_keywords(ticker, ScheduleOptions)
        asked = asked_ticker(self, None, at=at, delay=delay, options=ticker)
        return self._manager().add(
            asked, session=session, on_conflict=on_conflict, allow_unknown=allow_unknown
        )

    # To type checkers there is no such attribute, wherever it is named.
    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> NoReturn:
            """Refuse what Celery's signatures have and this has not."""
            refuse_attribute(self, self.function, name, _INSTEAD_OF.get(name))

    def __hash__(self) -> int:
        # A chord takes what it does not know for the name of a task.
        raise CallError("s", None, str(self._refusal()))

    def _refusal(self) -> NoCeleryTaskError:
        return no_canvas(self.function)
