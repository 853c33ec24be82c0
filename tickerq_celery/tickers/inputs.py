"""What a user schedules: frozen values that are not stored yet."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self, TypedDict, Unpack, overload

from tickerq_celery.enums import (
    MisfirePolicy,
    MisfirePolicyLike,
    OnLostLike,
    OverlapPolicy,
    OverlapPolicyLike,
    RunConditionLike,
    TickerPriorityLike,
)
from tickerq_celery.errors import CallError, TickerValidationError, UnknownKeywordError
from tickerq_celery.tickers.call import FUNCTION, Call, FunctionField, NamedFunction, named
from tickerq_celery.tickers.celery_task import CALL_FIELDS, TASK, TaskField, TaskLike, named_task
from tickerq_celery.tickers.keywords import refuse_unknown

_OF_FUNCTIONS = frozenset({"max_concurrency", "max_concurrency_per_key", "rate_limit"})
_LIMITS = (
    "a function has it, @ticker_function(max_concurrency=…); a Celery task is limited by its own rate_limit, "
    "and by the concurrency of the workers of its queue"
)
_REQUEST = "a ticker function is given a request, or named by a call of it: function=send.s(…)"


class OfEveryTicker(TypedDict, total=False):
    """Fields that tickers of both kinds have, as keywords."""

    description: str | None
    priority: TickerPriorityLike | None
    queue: str | None
    tags: Sequence[str]


class OfFunctions(TypedDict, total=False):
    """Fields that only tickers of functions have, each with what a Celery task has instead."""

    retries: Annotated[int | None, "max_retries and autoretry_for of @app.task, and self.retry"]
    retry_intervals: Annotated[
        Sequence[timedelta | float] | None,
        "default_retry_delay and retry_backoff of @app.task, and self.retry",
    ]
    timeout: Annotated[
        timedelta | float | None, "soft_time_limit of @app.task, or options={'soft_time_limit': …}"
    ]
    hard_timeout: Annotated[timedelta | float | None, "time_limit of @app.task, or options={'time_limit': …}"]
    concurrency_key: Annotated[
        str | None, "rate_limit of @app.task, and the concurrency of its queue's workers"
    ]


class OfTasks(TypedDict, total=False):
    """Fields that only tickers of Celery tasks have, each with what a function has instead."""

    args: Annotated[Sequence[object], _REQUEST]
    kwargs: Annotated[Mapping[str, object], _REQUEST]
    options: Annotated[Mapping[str, object], "they are a Celery task's, task=…"]
    on_lost: Annotated[
        OnLostLike | None, "it is an option of the ticker function itself: @ticker_function(on_lost=…)"
    ]


class OfNewTickers(TypedDict, total=False):
    """Fields that stay as they were when a time ticker was added."""

    unique_key: str | None
    namespace: str | None
    children: Sequence["TimeTicker"]


class _OfTimeTickers(OfEveryTicker, OfNewTickers, total=False):
    execution_time: datetime | None
    delay: timedelta | float | None
    run_condition: RunConditionLike | None


class _TimeTickerOfFunction(_OfTimeTickers, OfFunctions, total=False):
    pass


class _TimeTickerOfTask(_OfTimeTickers, OfTasks, total=False):
    pass


class OfCronTickers(TypedDict, total=False):
    """Fields that cron tickers of functions and of tasks have beside those of every ticker."""

    time_zone: str | None
    day_or: bool
    start_at: datetime | None
    end_at: datetime | None
    max_runs: int | None
    exclude: Collection[date]
    jitter: timedelta | float
    is_enabled: bool
    misfire: MisfirePolicyLike
    misfire_limit: int
    misfire_grace: timedelta | float | None
    overlap: OverlapPolicyLike
    pause_on_failure: int | None


class _CronTickerOfFunction(OfEveryTicker, OfCronTickers, OfFunctions, total=False):
    namespace: str | None
    children: Sequence["TimeTicker"]


class _CronTickerOfTask(OfEveryTicker, OfCronTickers, OfTasks, total=False):
    namespace: str | None
    children: Sequence["TimeTicker"]


class _Ticker:
    """Takes what names a function or a task for its name, and says what keywords that are no field mean."""

    __slots__ = ()
    __dataclass_fields__: ClassVar[dict[str, Any]]

    def __new__(cls, *_: object, **given: object) -> Self:
        what = f"a {cls.__name__} has no such field"
        for name in _OF_FUNCTIONS & given.keys():
            raise UnknownKeywordError(name, given[name], f"{what}: {_LIMITS}")
        refuse_unknown(what, given, cls.__dataclass_fields__)
        return super().__new__(cls)

    def __post_init__(self) -> None:
        ticker: Any = self
        function, request = named(ticker.function, ticker.request)
        called = named_task(ticker.task, **{name: getattr(ticker, name) for name in CALL_FIELDS})
        if function is None and called.task is None:
            raise CallError("function", None, "pass a ticker function, or a Celery task as task=")
        if function is not None and called.task is not None:
            raise TickerValidationError("task", called.task, "pass function or task, not both")
        object.__setattr__(self, "function", function)
        object.__setattr__(self, "request", request)
        for name in ("task", *CALL_FIELDS):
            object.__setattr__(self, name, getattr(called, name))


@dataclass(frozen=True, slots=True)
class TimeTicker(_Ticker):
    """One run at one moment.

    ``function`` is a ticker function, its name, or a call of one, ``send.s(user_id=3)``, which is the request
    as well. ``execution_time`` must be aware; a past one, or None, means now. ``delay`` replaces it: how long
    after it is added, in seconds or as a timedelta. ``retries`` are extra attempts,
    ``retry_intervals`` the waits before them (the last one repeats); None takes the
    function's own. While a ticker with the same ``unique_key`` is not terminal, another is refused.
    Of runs of one function with the same ``concurrency_key`` as many may be active as the function's
    ``max_concurrency_per_key`` says, 1 unless it says otherwise.

    ``children`` are stored with it and wait for it: each starts at the end that its ``run_condition``
    names (None: at any but Skipped), and not before an ``execution_time`` of its own.
    After ``timeout`` an attempt's function is asked to stop, after ``hard_timeout`` its process is
    killed (prefork pool only); None takes the function's own.

    ``task`` replaces ``function``: a Celery task, its name, or a signature of it, ``add.s(2, 3)``, which
    brings ``args``, ``kwargs`` and ``options``, those of ``apply_async``. Its own options rule: a ticker of a
    task has no request, retries, timeouts and concurrency key. With ``on_lost="retry"`` it starts again where
    its worker died or its message was lost.
    """

    function: FunctionField = FUNCTION
    _: KW_ONLY
    task: TaskField = TASK
    args: Sequence[object] = field(default=(), repr=False)
    kwargs: Mapping[str, object] = field(default_factory=dict, repr=False, hash=False)
    options: Mapping[str, object] = field(default_factory=dict, repr=False, hash=False)
    on_lost: OnLostLike | None = None
    execution_time: datetime | None = None
    delay: timedelta | float | None = None
    request: object = field(default=None, repr=False)
    description: str | None = None
    retries: int | None = None
    retry_intervals: Sequence[timedelta | float] | None = None
    timeout: timedelta | float | None = None
    hard_timeout: timedelta | float | None = None
    priority: TickerPriorityLike | None = None
    queue: str | None = None
    concurrency_key: str | None = None
    tags: Sequence[str] = ()
    unique_key: str | None = None
    namespace: str | None = None
    run_condition: RunConditionLike | None = None
    children: Sequence["TimeTicker"] = ()

    # What names a function or a task, and a request beside a function that is no call: all else is refused.
    if TYPE_CHECKING:

        @overload
        def __init__(self, function: Call, **ticker: Unpack[_TimeTickerOfFunction]) -> None: ...
        @overload
        def __init__(
            self,
            function: str | NamedFunction,
            *,
            request: object = None,
            **ticker: Unpack[_TimeTickerOfFunction],
        ) -> None: ...
        @overload
        def __init__(self, *, task: TaskLike, **ticker: Unpack[_TimeTickerOfTask]) -> None: ...
        def __init__(self, *args: Any, **kwargs: Any) -> None: ...


@dataclass(frozen=True, slots=True)
class CronTicker(_Ticker):
    """A standing definition: a function or a task, and a cron expression of 5 or 6 fields or an interval.

    ``function`` is a ticker function, its name, or a call of one, ``send.s(user_id=3)``, with its request.
    ``task`` replaces it as in a TimeTicker.

    ``every`` replaces ``expression``: elapsed time, counted from ``start_at`` (None: now).
    Nothing fires before ``start_at`` or after ``end_at``, on an ``exclude`` date of the zone, or once
    ``max_runs`` instants had their occurrence. Each run starts up to ``jitter`` after its instant.
    Six fields begin with seconds. Day of month and day of week must both match; ``day_or=True`` asks
    for Unix's rule, either of them. ``time_zone`` is an IANA name (None: the ``time_zone`` setting).
    Instants missed by more than ``misfire_grace`` are skipped whatever the policy says.
    ``children`` are a chain that each occurrence gets a copy of.
    After ``pause_on_failure`` failed occurrences in a row it is paused; None is never.
    """

    function: FunctionField = FUNCTION
    _: KW_ONLY
    task: TaskField = TASK
    args: Sequence[object] = field(default=(), repr=False)
    kwargs: Mapping[str, object] = field(default_factory=dict, repr=False, hash=False)
    options: Mapping[str, object] = field(default_factory=dict, repr=False, hash=False)
    on_lost: OnLostLike | None = None
    expression: str | None = None
    every: timedelta | float | None = None
    time_zone: str | None = None
    day_or: bool = False
    start_at: datetime | None = None
    end_at: datetime | None = None
    max_runs: int | None = None
    exclude: Collection[date] = ()
    jitter: timedelta | float = timedelta(0)
    request: object = field(default=None, repr=False)
    description: str | None = None
    is_enabled: bool = True
    retries: int | None = None
    retry_intervals: Sequence[timedelta | float] | None = None
    timeout: timedelta | float | None = None
    hard_timeout: timedelta | float | None = None
    misfire: MisfirePolicyLike = MisfirePolicy.RUN_ONCE
    misfire_limit: int = 100
    misfire_grace: timedelta | float | None = None
    overlap: OverlapPolicyLike = OverlapPolicy.ALLOW
    pause_on_failure: int | None = None
    priority: TickerPriorityLike | None = None
    queue: str | None = None
    concurrency_key: str | None = None
    tags: Sequence[str] = ()
    namespace: str | None = None
    children: Sequence[TimeTicker] = ()

    # The same, and when it fires.
    if TYPE_CHECKING:

        @overload
        def __init__(
            self, function: Call, *, expression: str, **ticker: Unpack[_CronTickerOfFunction]
        ) -> None: ...
        @overload
        def __init__(
            self, function: Call, *, every: timedelta | float, **ticker: Unpack[_CronTickerOfFunction]
        ) -> None: ...
        @overload
        def __init__(
            self,
            function: str | NamedFunction,
            *,
            expression: str,
            request: object = None,
            **ticker: Unpack[_CronTickerOfFunction],
        ) -> None: ...
        @overload
        def __init__(
            self,
            function: str | NamedFunction,
            *,
            every: timedelta | float,
            request: object = None,
            **ticker: Unpack[_CronTickerOfFunction],
        ) -> None: ...
        @overload
        def __init__(
            self, *, task: TaskLike, expression: str, **ticker: Unpack[_CronTickerOfTask]
        ) -> None: ...
        @overload
        def __init__(
            self, *, task: TaskLike, every: timedelta | float, **ticker: Unpack[_CronTickerOfTask]
        ) -> None: ...
        def __init__(self, *args: Any, **kwargs: Any) -> None: ...
