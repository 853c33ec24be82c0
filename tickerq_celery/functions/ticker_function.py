"""What a decorated function becomes: still callable, and able to schedule itself."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, Generic, NoReturn, Unpack, overload

from typing_extensions import ParamSpec, TypeVar

from tickerq_celery.enums import OnConflict, OnConflictLike
from tickerq_celery.errors import CallError, NoCeleryTaskError
from tickerq_celery.functions.adding import Adds, asked_ticker
from tickerq_celery.functions.binding import by_name, checked
from tickerq_celery.functions.context import TickerContext
from tickerq_celery.functions.definition import Function
from tickerq_celery.functions.function_call import FunctionCall
from tickerq_celery.functions.no_signature import NoSignature, no_canvas, refuse_attribute
from tickerq_celery.functions.signature import Takes
from tickerq_celery.payload.redaction import discreet
from tickerq_celery.tickers.call import RegisteredFunction
from tickerq_celery.tickers.fields import ScheduleOptions
from tickerq_celery.tickers.scheduling import refuse_keywords
from tickerq_celery.tickers.sessions import SessionLike
from tickerq_celery.tickers.views import Run

# The defaults make a bare `TickerFunction` a complete annotation for strict type checkers.
P = ParamSpec("P", default=...)
RequestT_contra = TypeVar("RequestT_contra", contravariant=True, default=Any)
ReturnT_co = TypeVar("ReturnT_co", covariant=True, default=Any)

_LATER = "with at= or delay= where it shall run later"
_CHAIN = "a chain is .schedule(children=[TimeTicker(…)])"


class ByName:
    """The request type of a function with plain parameters, to type checkers: ``.s(…)`` gives them."""


class TickerFunction(RegisteredFunction, NoSignature, Generic[P, RequestT_contra, ReturnT_co]):
    """A registered function. Calling it runs its body, here and now, and records nothing.

    To type checkers ``P`` are its parameters beside the context, ``RequestT`` is what ``schedule`` takes.
    """

    def __init__(self, function: Function, manager: Callable[[], Adds]) -> None:
        # First: it copies what a callable object holds, under whatever names.
        update_wrapper(self, function.body)
        self._manager = manager
        self.definition = function

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> ReturnT_co:
        found: ReturnT_co = self.definition.body(*args, **kwargs)
        return found

    def __repr__(self) -> str:
        path = self.definition.signature.path.replace(":", ".")
        return f"<ticker function {self.name!r} of {path}>"

    @property
    def name(self) -> str:
        """The function's stable name."""
        return self.definition.name

    # Of a function that takes one request type checkers refuse it, as this does.
    def s(
        self: "TickerFunction[P, ByName, Any] | TickerFunction[P, None, Any]",
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> FunctionCall:
        """Return a call of a function with plain parameters, checked, without its context.

        It schedules itself, and stands wherever a function and its request do.

        Raises:
            CallError: An argument is missing or there twice, or the function takes one request.
            UnknownKeywordError: The function has no parameter of that name.
            TickerValidationError: An argument does not fit its annotation.
        """
        function = self.definition
        if function.signature.parameters is None:
            given = discreet(["s"], [*args, kwargs] if kwargs else [*args])
            taken = "a context only" if self._has_bare_context else "one request"
            raise CallError("s", given, f"function {self.name} takes {taken}: use {self._right}, {_LATER}")
        given = by_name(function.name, function.signature, args, kwargs)
        return FunctionCall(
            function=self.name, arguments=checked(function.expected_request, given), _manager=self._manager
        )

    @overload
    def schedule(
        self: "TickerFunction[..., None, Any]",
        *,
        at: datetime | None = None,
        delay: timedelta | float | None = None,
        session: SessionLike | None = None,
        on_conflict: OnConflictLike = OnConflict.RAISE,
        allow_unknown: bool = False,
        **ticker: Unpack[ScheduleOptions],
    ) -> Run: ...

    @overload
    def schedule(
        self,
        request: RequestT_contra,
        *,
        at: datetime | None = None,
        delay: timedelta | float | None = None,
        session: SessionLike | None = None,
        on_conflict: OnConflictLike = OnConflict.RAISE,
        allow_unknown: bool = False,
        **ticker: Unpack[ScheduleOptions],
    ) -> Run: ...

    def schedule(
        self,
        request: object = None,
        *,
        at: datetime | None = None,
        delay: timedelta | float | None = None,
        session: SessionLike | None = None,
        on_conflict: OnConflictLike = OnConflict.RAISE,
        allow_unknown: bool = False,
        **ticker: Unpack[ScheduleOptions],
    ) -> Run:
        """Schedule a run at a moment, after a ``delay`` (seconds or a timedelta), or now.

        ``request`` is for a function that takes one; plain parameters are those of ``s``. ``session``,
        ``on_conflict`` and ``allow_unknown`` are those of ``add``; further keywords are fields of TimeTicker.

        Raises:
            TickerValidationError: Both ``at`` and ``delay`` are given, or a field cannot be stored.
            CallError: The function has plain parameters.
            UnknownKeywordError: A keyword is no field: what the function is given is one ``request``.
        """
        self._refuse_plain(request)
        self._refuse_unknown(ticker, request)
        asked = asked_ticker(self, request, at=at, delay=delay, options=ticker)
        return self._manager().add(
            asked, session=session, on_conflict=on_conflict, allow_unknown=allow_unknown
        )

    # To type checkers there is no such attribute, wherever it is named.
    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> NoReturn:
            """Refuse what Celery's tasks have and this has not."""
            refuse_attribute(self, self.name, name, self._instead_of(name))

    def _refusal(self) -> NoCeleryTaskError:
        return no_canvas(self.name)

    def _instead_of(self, name: str) -> str | None:
        if name == "apply":
            return "calling the function runs it here and now"
        if name in ("si", "signature"):
            return _CHAIN
        return f"use {self._right}, {_LATER}" if name in ("delay", "apply_async") else None

    @property
    def _has_bare_context(self) -> bool:
        signature = self.definition.signature
        return signature.takes is Takes.CONTEXT and signature.request_type is None

    @property
    def _right(self) -> str:
        """The call that schedules it."""
        if self._has_bare_context:
            return ".schedule()"
        if self.definition.signature.takes is not Takes.PARAMETERS:
            return ".schedule(request)"
        return f".s({self.definition.signature.parameters}).schedule()"

    def _refuse_plain(self, request: object) -> None:
        if request is not None and self.definition.signature.takes is Takes.PARAMETERS:
            reason = f"function {self.name} takes plain parameters: use {self._right}"
            raise CallError("request", discreet(["request"], request), reason)

    def _refuse_unknown(self, keywords: Mapping[str, object], request: object) -> None:
        is_given = request is not None
        is_plain = self.definition.signature.takes is Takes.PARAMETERS
        given_by = f"it by {self._right}" if is_plain else "what the function is given as its one request"
        refuse_keywords(
            keywords,
            ScheduleOptions,
            own=() if is_given or is_plain else ["request"],
            meant=dict.fromkeys(("args", "kwargs"), given_by),
            in_request=frozenset() if is_given else self.definition.expected_request.field_names,
            advice=None if is_given else self._advice,
        )

    def _advice(self, keywords: Sequence[str]) -> str:
        takes = self.definition.signature.takes
        if takes is Takes.NOTHING:
            return f"function {self.name} takes no request"
        if takes is Takes.PARAMETERS:
            return f"the parameters of function {self.name} are those of {self._right}"
        shown = ", ".join(f"{name!r}: …" for name in keywords)
        return f"what a function is given is one request, schedule({{{shown}}})"


class ContextFunction(TickerFunction[P, RequestT_contra, ReturnT_co]):
    """A TickerFunction that is called with a context, as type checkers see it."""

    def __call__(self, context: TickerContext[Any], *args: P.args, **kwargs: P.kwargs) -> ReturnT_co: ...  # type: ignore[override,empty-body]  # a run passes the context
