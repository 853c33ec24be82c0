"""What a decorated function becomes: still callable, and able to schedule itself."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from functools import update_wrapper
from typing import Any, NoReturn, Protocol, Unpack

from tickerq_celery import validation
from tickerq_celery.enums import OnConflict, OnConflictLike
from tickerq_celery.errors import NoCeleryTaskError, TickerValidationError, UnknownKeywordError
from tickerq_celery.functions.definition import Function, make_function
from tickerq_celery.functions.options import FunctionOptions, check_call
from tickerq_celery.payload.redaction import discreet
from tickerq_celery.tickers.fields import ScheduleOptions
from tickerq_celery.tickers.inputs import TimeTicker
from tickerq_celery.tickers.keywords import refuse_unknown
from tickerq_celery.tickers.sessions import SessionLike
from tickerq_celery.tickers.views import Run

# Fields that ``schedule`` sets itself.
_OWN = {"function", "request", "execution_time"}
_FIELDS = [each.name for each in fields(TimeTicker) if each.name not in _OWN]
# The parameters of ``schedule`` besides the request.
_PARAMETERS = ["at", "delay", "session", "on_conflict"]
# What users of Celery and of TimeTicker write, and the keywords of ``schedule`` that stand for it.
_MEANT = {
    "execution_time": "at=",
    "eta": "at=, an aware datetime",
    "countdown": "delay=, in seconds",
    "args": "what the function is given as its one request",
    "kwargs": "what the function is given as its one request",
}
_SCHEDULE = "use .schedule(request), with at= or delay= where it shall run later"
_CHAIN = "a chain is .schedule(children=[TimeTicker(…)])"
_INSTEAD_OF = {
    "delay": _SCHEDULE,
    "apply_async": _SCHEDULE,
    "apply": "calling the function runs it here and now",
    "s": _CHAIN,
    "si": _CHAIN,
    "signature": _CHAIN,
}


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

    @property
    def now(self) -> datetime:
        """The present moment."""


def registering(
    name: str | None,
    options: FunctionOptions,
    *,
    register: Callable[[Function], None],
    manager: Callable[[], Adds],
) -> "Callable[[Callable[..., Any]], TickerFunction]":
    """Return a decorator that hands ``register`` the function, and whose result adds through ``manager``.

    Raises:
        TickerValidationError: The function, or an option, cannot be used.
        UnknownKeywordError: A keyword is not an option; it is a TypeError, too.
    """
    check_call(name, options)

    def decorate(body: Callable[..., Any]) -> TickerFunction:
        function = make_function(body, name, **options)
        register(function)
        return TickerFunction(function, manager)

    return decorate


class TickerFunction:
    """A registered function. Calling it runs its body, here and now, and records nothing."""

    def __init__(self, function: Function, manager: Callable[[], Adds]) -> None:
        # First: it copies what a callable object holds, under whatever names.
        update_wrapper(self, function.body)
        self._manager = manager
        self.definition = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.definition.body(*args, **kwargs)

    def __repr__(self) -> str:
        path = self.definition.signature.path.replace(":", ".")
        return f"<ticker function {self.name!r} of {path}>"

    @property
    def name(self) -> str:
        """The function's stable name."""
        return self.definition.name

    def schedule(
        self,
        request: object = None,
        *,
        at: datetime | None = None,
        delay: timedelta | float | None = None,
        session: SessionLike | None = None,
        on_conflict: OnConflictLike = OnConflict.RAISE,
        **ticker: Unpack[ScheduleOptions],
    ) -> Run:
        """Schedule a run at a moment, after a ``delay`` (seconds or a timedelta), or now.

        ``session`` and ``on_conflict`` are those of ``add``; further keywords are fields of TimeTicker.

        Raises:
            TickerValidationError: Both ``at`` and ``delay`` are given, or a field cannot be stored.
            UnknownKeywordError: A keyword is no field: what the function is given is one ``request``.
        """
        self._refuse_unknown(ticker, request)
        manager = self._manager()
        return manager.add(
            TimeTicker(
                function=self.name, execution_time=_moment(manager, at, delay), request=request, **ticker
            ),
            session=session,
            on_conflict=on_conflict,
        )

    def __getattr__(self, name: str) -> NoReturn:
        """Refuse what Celery's tasks have and this has not.

        Raises:
            NoCeleryTaskError: With the call that does it here; an AttributeError, as for any other name.
        """
        if name in _INSTEAD_OF:
            raise NoCeleryTaskError(self.name, name, _INSTEAD_OF[name])
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)

    def _refuse_unknown(self, keywords: Mapping[str, object], request: object) -> None:
        is_given = request is not None
        in_request = frozenset() if is_given else self.definition.expected_request.field_names
        for name, meant in _MEANT.items():
            if name in keywords and name not in in_request:
                raise UnknownKeywordError(name, discreet([name], keywords[name]), f"pass {meant}")
        refuse_unknown(
            "schedule has no such keyword",
            keywords,
            [*_PARAMETERS, *_FIELDS] if is_given else ["request", *_PARAMETERS, *_FIELDS],
            advice=None if is_given else self._request_advice,
            never_meant=in_request,
        )

    def _request_advice(self, keywords: Sequence[str]) -> str:
        if not self.definition.expected_request.is_taken:
            return f"function {self.name} takes no request"
        shown = ", ".join(f"{name!r}: …" for name in keywords)
        return f"what a function is given is one request, schedule({{{shown}}})"


def _moment(manager: Adds, at: datetime | None, delay: timedelta | float | None) -> datetime | None:
    if delay is None:
        return None if at is None else validation.moment("at", at)
    if at is not None:
        raise TickerValidationError("delay", delay, "pass at or delay, not both")
    wait = validation.duration("delay", delay, least=timedelta.min, most=timedelta.max)
    try:
        return manager.now + wait
    except OverflowError as error:
        raise TickerValidationError("delay", delay, "no moment is that far away") from error
