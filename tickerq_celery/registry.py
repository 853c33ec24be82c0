"""Functions by name: what this process can run, and how."""

import asyncio
import functools
import inspect
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tickerq_celery import limits
from tickerq_celery.bounds import BOUND_FIELDS, UNBOUNDED, Bounds, checked_bounds
from tickerq_celery.context import TickerContext
from tickerq_celery.cron import find_zone
from tickerq_celery.cron_setting import Setting
from tickerq_celery.enums import MisfirePolicy, OnLost, OverlapPolicy, TickerPriority
from tickerq_celery.errors import DuplicateFunctionError, TickerValidationError
from tickerq_celery.interval import expression_from
from tickerq_celery.payload import check_request_type
from tickerq_celery.signature import Signature, Takes, inspect_function
from tickerq_celery.timetable import make_timetable

_ANY_START = datetime(2000, 1, 1, tzinfo=UTC)  # where an interval begins to count does not matter to a check


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A registered callable and how its runs behave; intervals and the timeout are in seconds.

    ``cron`` is an expression, or an interval written as one; a Setting until the app's settings are read.
    """

    name: str
    body: Callable[..., Any]
    signature: Signature
    cron: str | Setting | None = None
    time_zone: str | None = None
    day_or: bool = False
    bounds: Bounds = UNBOUNDED
    priority: TickerPriority = TickerPriority.NORMAL
    max_concurrency: int = 0
    retries: int = 0
    retry_intervals: tuple[float, ...] = ()
    timeout: float | None = None
    queue: str | None = None
    misfire: MisfirePolicy = MisfirePolicy.RUN_ONCE
    overlap: OverlapPolicy = OverlapPolicy.ALLOW
    on_lost: OnLost = OnLost.RETRY

    def call(self, context: TickerContext[Any], *, at_end: Callable[[], Awaitable[None]]) -> object:
        """Return what the body returns; a coroutine function gets an event loop of its own.

        ``at_end`` is awaited in that loop, whatever the coroutine raised.
        """
        arguments: tuple[object, ...] = ()
        if self.signature.takes is Takes.CONTEXT:
            arguments = (context,)
        elif self.signature.takes is Takes.REQUEST:
            arguments = (context.request,)
        try:
            result: object = self.body(*arguments)
            # A plain wrapper around a coroutine function returns a coroutine, too.
            return asyncio.run(_followed_by(result, at_end)) if inspect.iscoroutine(result) else result
        except asyncio.CancelledError as error:
            # No Exception to Python, and the body's own failure to us: nobody else cancels in its loop.
            raise RuntimeError("the function let a CancelledError of asyncio escape") from error


async def _followed_by(body: Coroutine[Any, Any, Any], at_end: Callable[[], Awaitable[None]]) -> object:
    try:
        return await body
    finally:
        await at_end()


class Registry:
    """Names to functions; one name means one function."""

    def __init__(self) -> None:
        self._functions: dict[str, Function] = {}

    def add(self, function: Function) -> None:
        """Register a function; the same one again changes nothing.

        Raises:
            DuplicateFunctionError: Another function has this name.
        """
        known = self._functions.setdefault(function.name, function)
        if _place(known) != _place(function):
            raise DuplicateFunctionError(function.name, _place(known), _place(function))

    def get(self, name: str) -> Function | None:
        """Return the function of that name, or None."""
        return self._functions.get(name)

    def change(self, change: Callable[[Function], Function]) -> None:
        """Put in each function's place what ``change`` makes of it."""
        self._functions = {name: change(function) for name, function in self._functions.items()}

    def __iter__(self) -> Iterator[Function]:
        return iter(sorted(self._functions.values(), key=lambda function: function.name))


def make_function(body: Callable[..., Any], name: str | None, **options: Any) -> Function:
    """Return a checked function; the default name is the callable's own.

    Raises:
        TickerValidationError: The callable, or an option, cannot be used.
    """
    signature = inspect_function(body)
    check_request_type(signature.request_type)
    options["priority"] = _member("priority", options.get("priority", TickerPriority.NORMAL), TickerPriority)
    options["misfire"] = _member("misfire", options.get("misfire", MisfirePolicy.RUN_ONCE), MisfirePolicy)
    options["overlap"] = _member("overlap", options.get("overlap", OverlapPolicy.ALLOW), OverlapPolicy)
    options["on_lost"] = _member("on_lost", options.get("on_lost", OnLost.RETRY), OnLost)
    options["retries"] = limits.retries(options.get("retries", 0))
    intervals: Sequence[float] = options.get("retry_intervals", ())
    options["retry_intervals"] = tuple(limits.retry_intervals(limits.in_seconds(intervals)))
    if options.get("queue") is not None:
        limits.name("queue", options["queue"], limits.LONGEST_QUEUE)
    if options.get("timeout") is not None:
        options["timeout"] = limits.seconds("timeout", limits.in_seconds([options["timeout"]])[0])
    _check_concurrency(options.get("max_concurrency", 0))
    options["day_or"] = limits.flag("day_or", options.get("day_or", False))
    options["bounds"] = checked_bounds(
        **{field: options.pop(field) for field in BOUND_FIELDS if field in options}
    )
    options["cron"] = _cron(options.get("cron"), options.pop("every", None))
    function = Function(
        name=limits.name(
            "function", name if name is not None else getattr(body, "__name__", ""), limits.LONGEST_FUNCTION
        ),
        body=body,
        signature=signature,
        **options,
    )
    _check_times(function)
    return function


def _place(function: Function) -> str:
    """Return where a function's code stands: two in one module may share a qualified name."""
    body: Any = function.body
    while isinstance(body, functools.partial):
        body = body.func
    code = getattr(inspect.unwrap(body), "__code__", None)
    return (
        function.signature.path if code is None else f"{function.signature.path}, line {code.co_firstlineno}"
    )


def check_expression(function: Function, expression: object) -> str:
    """Return a cron expression, if it fits a function's zone and bounds.

    Raises:
        TickerValidationError: It does not, or cannot be parsed.
    """
    make_timetable(
        expression,  # type: ignore[arg-type]  # what is no text is refused
        time_zone="UTC" if function.time_zone is None else function.time_zone,
        day_or=function.day_or,
        now=_ANY_START,
        bounds=function.bounds,
    )
    return str(expression)


def _check_times(function: Function) -> None:
    find_zone("UTC" if function.time_zone is None else function.time_zone)
    if function.cron is None and function.bounds != UNBOUNDED:
        raise TickerValidationError("cron", None, f"{', '.join(BOUND_FIELDS)} need cron= or every=")
    expression = function.cron.default if isinstance(function.cron, Setting) else function.cron
    if expression is not None:
        check_expression(function, expression)


def _cron(cron: str | Setting | None, every: object) -> str | Setting | None:
    if every is None:
        return cron
    if cron is not None:
        raise TickerValidationError("every", every, "pass cron or every, not both")
    return expression_from(None, every)


def _check_concurrency(value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TickerValidationError("max_concurrency", value, "pass a whole number; 0 means no limit")


def _member(field: str, value: object, enum: Any) -> Any:
    try:
        return enum(value)
    except ValueError as error:
        allowed = ", ".join(str(each.value) for each in enum)
        raise TickerValidationError(field, value, f"pass one of {allowed}") from error
