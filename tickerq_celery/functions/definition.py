"""A registered function and how its runs behave."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Unpack

from tickerq_celery import validation
from tickerq_celery.enums import MisfirePolicy, OnLost, OverlapPolicy, TickerPriority
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.functions.cron_setting import CronSetting
from tickerq_celery.functions.limits import FunctionLimits, Rate
from tickerq_celery.functions.options import FunctionOptions, checked_options
from tickerq_celery.functions.signature import Signature, inspect_function
from tickerq_celery.payload.codec import LARGEST_REQUEST
from tickerq_celery.payload.expected_request import ExpectedRequest
from tickerq_celery.payload.requests import check_request_type
from tickerq_celery.schedule.bounds import BOUND_FIELDS, UNBOUNDED, Bounds
from tickerq_celery.schedule.cron_expression import find_zone
from tickerq_celery.schedule.timetable import make_timetable
from tickerq_celery.tickers.timeouts import Timeouts

_ANY_START = datetime(2000, 1, 1, tzinfo=UTC)  # where an interval begins to count does not matter to a check


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A registered callable and how its runs behave.

    ``cron`` is an expression, or an interval written as one; a CronSetting until the app's settings are read.
    ``description``, ``tags`` and ``request``, as JSON, are those of its cron ticker; where the code gives
    none, an operator's stay.
    """

    name: str
    body: Callable[..., Any]
    signature: Signature
    cron: str | CronSetting | None = None
    time_zone: str | None = None
    day_or: bool = False
    bounds: Bounds = UNBOUNDED
    priority: TickerPriority = TickerPriority.NORMAL
    max_concurrency: int | None = None
    max_concurrency_per_key: int | None = 1
    rate_limit: Rate | None = None
    retries: int = 0
    retry_intervals: tuple[timedelta, ...] = ()
    timeout: timedelta | None = None
    hard_timeout: timedelta | None = None
    queue: str | None = None
    misfire: MisfirePolicy = MisfirePolicy.RUN_ONCE
    misfire_limit: int = 100
    misfire_grace: timedelta | None = None
    overlap: OverlapPolicy = OverlapPolicy.ALLOW
    pause_on_failure: int | None = None
    description: str | None = None
    tags: tuple[str, ...] | None = None
    request: bytes | None = field(default=None, repr=False)
    on_lost: OnLost = OnLost.RETRY

    @property
    def expected_request(self) -> ExpectedRequest:
        """What its runs are to be given."""
        signature = self.signature
        return ExpectedRequest(
            function=self.name, type=signature.request_type, parameters=signature.parameters
        )

    @property
    def timeouts(self) -> Timeouts:
        """How long an attempt may take."""
        return Timeouts(soft=self.timeout, hard=self.hard_timeout)

    @property
    def limits(self) -> FunctionLimits:
        """How many of its runs may be active."""
        return FunctionLimits(
            max_concurrency=self.max_concurrency,
            max_concurrency_per_key=self.max_concurrency_per_key,
            rate=self.rate_limit,
        )


def make_function(body: Callable[..., Any], name: str | None, **options: Unpack[FunctionOptions]) -> Function:
    """Return a checked function; the default name is the callable's own.

    Raises:
        TickerValidationError: The callable, or an option, cannot be used.
    """
    signature = inspect_function(body)
    check_request_type(signature.request_type)
    function = Function(
        name=validation.name(
            "function",
            name if name is not None else getattr(body, "__name__", ""),
            validation.LONGEST_FUNCTION,
        ),
        body=body,
        signature=signature,
        **checked_options(options),
    )
    return _with_request(_with_checked_times(function), options.get("request"))


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


def _refuse_placeholder(cron: object) -> None:
    """Say what stands for TickerQ's ``%Section:Key%``, which no cron expression can be."""
    if isinstance(cron, str) and len(cron) > 2 and cron[0] == cron[-1] == "%":
        raise TickerValidationError(
            "cron", cron, 'what the configuration holds is cron=CronSetting("its_name")'
        )


def _with_request(function: Function, request: object) -> Function:
    if function.cron is None:
        return function
    return replace(function, request=function.expected_request.encode(request, limit=LARGEST_REQUEST))


def _with_checked_times(function: Function) -> Function:
    _refuse_placeholder(function.cron)
    find_zone("UTC" if function.time_zone is None else function.time_zone)
    if function.cron is None and function.bounds != UNBOUNDED:
        raise TickerValidationError("cron", None, f"{', '.join(BOUND_FIELDS)} need cron= or every=")
    if function.cron is None:
        return function
    if not isinstance(function.cron, CronSetting):
        return replace(function, cron=check_expression(function, function.cron))
    if function.cron.default is not None:
        setting = function.cron
        try:
            check_expression(function, setting.default)
        except TickerValidationError as error:
            reason = f"the default of {setting.name}, of function {function.name}, cannot be used: {error}"
            raise TickerValidationError("cron", setting.default, reason) from error
    return function
