"""A registered function and how its runs behave: checked options of the decorator."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from tickerq_celery import validation
from tickerq_celery.enums import MisfirePolicy, OnLost, OverlapPolicy, TickerPriority
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.functions.limits import FunctionLimits, Rate
from tickerq_celery.functions.setting import Setting
from tickerq_celery.functions.signature import Signature, inspect_function
from tickerq_celery.payload.requests import check_request_type
from tickerq_celery.schedule.bounds import BOUND_FIELDS, UNBOUNDED, Bounds, checked_bounds
from tickerq_celery.schedule.cron import find_zone
from tickerq_celery.schedule.interval import expression_from
from tickerq_celery.schedule.timetable import make_timetable
from tickerq_celery.tickers.timeouts import Timeouts, checked_timeouts

_MOST_AT_ONCE = 1_000_000
_ANY_START = datetime(2000, 1, 1, tzinfo=UTC)  # where an interval begins to count does not matter to a check
_CHOICES: dict[str, type[Enum]] = {
    "priority": TickerPriority,
    "misfire": MisfirePolicy,
    "overlap": OverlapPolicy,
    "on_lost": OnLost,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A registered callable and how its runs behave; intervals and timeouts are in seconds.

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
    max_concurrency_per_key: int = 1
    rate_limit: Rate | None = None
    retries: int = 0
    retry_intervals: tuple[float, ...] = ()
    timeout: float | None = None
    hard_timeout: float | None = None
    queue: str | None = None
    misfire: MisfirePolicy = MisfirePolicy.RUN_ONCE
    overlap: OverlapPolicy = OverlapPolicy.ALLOW
    pause_on_failure: int = 0
    on_lost: OnLost = OnLost.RETRY

    @property
    def timeouts(self) -> Timeouts:
        """How long an attempt may take."""
        return Timeouts(soft=self.timeout, hard=self.hard_timeout)

    @property
    def limits(self) -> FunctionLimits:
        """How many of its runs may be under way."""
        return FunctionLimits(
            max_concurrency=self.max_concurrency,
            max_concurrency_per_key=self.max_concurrency_per_key,
            rate=self.rate_limit,
        )


def check_name(name: object) -> None:
    """Refuse a name that is none, such as the function itself, before anything is decorated.

    Raises:
        TickerValidationError: It is no text; the decorator was written without parentheses, maybe.
    """
    if callable(name):
        raise TickerValidationError("name", name, "write the decorator with parentheses")
    if name is not None:
        validation.name("name", name, validation.LONGEST_FUNCTION)


def make_function(body: Callable[..., Any], name: str | None, **options: Any) -> Function:
    """Return a checked function; the default name is the callable's own.

    Raises:
        TickerValidationError: The callable, or an option, cannot be used.
    """
    signature = inspect_function(body)
    check_request_type(signature.request_type)
    for field, among in _CHOICES.items():
        if field in options:
            options[field] = validation.choice(field, options[field], among)
    options["pause_on_failure"] = validation.failures(options.get("pause_on_failure", 0))
    options["retries"] = validation.retries(options.get("retries", 0))
    intervals: Sequence[float] = options.get("retry_intervals", ())
    options["retry_intervals"] = tuple(validation.retry_intervals(validation.in_seconds(intervals)))
    if options.get("queue") is not None:
        validation.name("queue", options["queue"], validation.LONGEST_QUEUE)
    timeouts = checked_timeouts(options.get("timeout"), options.get("hard_timeout"))
    options |= {"timeout": timeouts.soft, "hard_timeout": timeouts.hard}
    _check_concurrency("max_concurrency", options.get("max_concurrency", 0), least=0)
    _check_concurrency("max_concurrency_per_key", options.get("max_concurrency_per_key", 1), least=1)
    if options.get("rate_limit") is not None:
        options["rate_limit"] = Rate.parse(options["rate_limit"])
    options["day_or"] = validation.flag("day_or", options.get("day_or", False))
    options["bounds"] = checked_bounds(
        **{field: options.pop(field) for field in BOUND_FIELDS if field in options}
    )
    options["cron"] = _cron(options.get("cron"), options.pop("every", None))
    function = Function(
        name=validation.name(
            "function",
            name if name is not None else getattr(body, "__name__", ""),
            validation.LONGEST_FUNCTION,
        ),
        body=body,
        signature=signature,
        **options,
    )
    return _with_checked_times(function)


def check_expression(function: Function, expression: object) -> str:
    """Return a cron expression as it is stored, if it fits a function's zone and bounds.

    Raises:
        TickerValidationError: It does not, or cannot be parsed.
    """
    timetable = make_timetable(
        expression,  # type: ignore[arg-type]  # what is no text is refused
        time_zone="UTC" if function.time_zone is None else function.time_zone,
        day_or=function.day_or,
        now=_ANY_START,
        bounds=function.bounds,
    )
    return timetable.expression


def _with_checked_times(function: Function) -> Function:
    find_zone("UTC" if function.time_zone is None else function.time_zone)
    if function.cron is None and function.bounds != UNBOUNDED:
        raise TickerValidationError("cron", None, f"{', '.join(BOUND_FIELDS)} need cron= or every=")
    if function.cron is None:
        return function
    if not isinstance(function.cron, Setting):
        return replace(function, cron=check_expression(function, function.cron))
    if function.cron.default is not None:
        setting = function.cron
        try:
            check_expression(function, setting.default)
        except TickerValidationError as error:
            reason = f"the default of {setting.name}, of function {function.name}, cannot be used: {error}"
            raise TickerValidationError("cron", setting.default, reason) from error
    return function


def _cron(cron: str | Setting | None, every: object) -> str | Setting | None:
    if every is None:
        return cron
    if cron is not None:
        raise TickerValidationError("every", every, "pass cron or every, not both")
    return expression_from(None, every)


def _check_concurrency(field: str, value: object, *, least: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= _MOST_AT_ONCE:
        hint = "; 0 means no limit" if least == 0 else ""
        raise TickerValidationError(
            field, value, f"pass a whole number from {least} to {_MOST_AT_ONCE}{hint}"
        )
