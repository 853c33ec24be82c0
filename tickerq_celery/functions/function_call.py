"""A checked call of a function: it schedules itself, and stands where a function and its request do."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NoReturn, Unpack

from tickerq_celery.enums import OnConflict, OnConflictLike
from tickerq_celery.errors import CallError, NoCeleryTaskError
from tickerq_celery.functions.adding import Adds, asked_ticker
from tickerq_celery.tickers.call import Call
from tickerq_celery.tickers.fields import ScheduleOptions
from tickerq_celery.tickers.scheduling import refuse_keywords
from tickerq_celery.tickers.sessions import SessionLike
from tickerq_celery.tickers.views import Run

_SCHEDULE = "use .schedule(), with at= or delay= where it shall run later"
_NO_CANVAS = (
    "neither a canvas nor link= can hold a call of it: what follows it, or a Celery task, is in the ticker's "
    "children, TimeTicker(…, children=[TimeTicker(…)]), and several at once are time_tickers.add_batch([…])"
)
_INSTEAD_OF = {
    "delay": _SCHEDULE,
    "apply_async": _SCHEDULE,
    "apply": "calling the function runs it here and now",
}
# What Celery's canvas asks of what is put into it: a signature, which is a dict.
_OF_CANVAS = frozenset(
    {"app", "args", "clone", "freeze", "get", "items", "keys", "kwargs", "link", "link_error"}
    | {"on_error", "options", "set", "task", "update"}
)


@dataclass(frozen=True, kw_only=True)
class FunctionCall(Call):
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
            """Refuse what Celery's signatures have and this has not.

            Raises:
                NoCeleryTaskError: With the call that does it here; an AttributeError, as for any other name.
            """
            if name in _INSTEAD_OF:
                raise NoCeleryTaskError(self.function, name, _INSTEAD_OF[name])
            if name in _OF_CANVAS:
                raise self._no_canvas()
            raise AttributeError(
                f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self
            )

    def __or__(self, other: object) -> NoReturn:
        raise self._no_canvas()

    def __ror__(self, other: object) -> NoReturn:
        raise self._no_canvas()

    def __getitem__(self, key: object) -> NoReturn:
        raise self._no_canvas()

    def __hash__(self) -> int:
        # A chord takes what it does not know for the name of a task.
        raise CallError("s", None, f"function {self.function} is no Celery task: {_NO_CANVAS}")

    def __json__(self) -> NoReturn:
        raise self._no_canvas()

    def _no_canvas(self) -> NoCeleryTaskError:
        return NoCeleryTaskError(self.function, None, _NO_CANVAS)
