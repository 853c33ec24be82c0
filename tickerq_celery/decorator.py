"""ticker_function: remembers a function until an app is finalised, as Celery's shared_task does."""

from collections.abc import Callable, Collection, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from celery import Celery, current_app
from celery._state import connect_on_app_finalize

from tickerq_celery.enums import MisfirePolicy, OnLost, OverlapPolicy, TickerPriority
from tickerq_celery.errors import ConfigError
from tickerq_celery.extension import TickerQ
from tickerq_celery.functions.definition import Function, check_name, make_function
from tickerq_celery.functions.setting import Setting
from tickerq_celery.functions.ticker_function import TickerFunction
from tickerq_celery.managers.time_tickers import TimeTickerManager
from tickerq_celery.settings import is_finalised


def ticker_function(
    name: str | None = None,
    *,
    cron: str | Setting | None = None,
    every: timedelta | float | None = None,
    time_zone: str | None = None,
    day_or: bool = False,
    start_at: datetime | None = None,
    end_at: datetime | None = None,
    max_runs: int | None = None,
    exclude: Collection[date] = (),
    jitter: timedelta | float = 0,
    priority: TickerPriority = TickerPriority.NORMAL,
    max_concurrency: int = 0,
    max_concurrency_per_key: int = 1,
    rate_limit: str | None = None,
    retries: int = 0,
    retry_intervals: Sequence[float] = (),
    timeout: float | None = None,
    hard_timeout: float | None = None,
    queue: str | None = None,
    misfire: MisfirePolicy | str = MisfirePolicy.RUN_ONCE,
    overlap: OverlapPolicy | str = OverlapPolicy.ALLOW,
    pause_on_failure: int = 0,
    on_lost: OnLost | str = OnLost.RETRY,
) -> Callable[[Callable[..., Any]], TickerFunction]:
    """Register the decorated function with every app that has a TickerQ, without naming one.

    Args:
        name: The function's stable name; its ``__name__`` where there is none.
        cron: An expression of 5 or 6 fields, or a Setting that holds one; workers seed a cron ticker for
            it when they start.
        every: In place of ``cron``: elapsed time, counted from ``start_at`` or the first seeding.
        time_zone: IANA zone of ``cron`` and ``exclude``; None takes the ``time_zone`` setting.
        day_or: Whether one day field is enough where ``cron`` sets both.
        start_at: The first moment at which it may fire.
        end_at: The last moment at which it may fire.
        max_runs: How many instants get an occurrence; None: any number.
        exclude: Dates of the zone on which it does not fire.
        jitter: How much later than its instant a run may start, at most; fixed for each instant.
        priority: In which order runs get places and are published, and their messages' priority.
        max_concurrency: How many runs may be under way at once, in all workers together; 0: any number.
        max_concurrency_per_key: The same for runs with one ``concurrency_key``.
        rate_limit: How many runs may be claimed in a time, such as "10/m"; the units are s, m, h and d.
        retries: Extra attempts after the first.
        retry_intervals: Waits before each retry, in seconds; the last repeats; 30 s where there are none.
        timeout: Seconds after which the body gets SoftTimeLimitExceeded (prefork pool only).
        hard_timeout: Seconds after which its process is killed; by default 30 s after ``timeout``.
        queue: The Celery queue; None takes that of the priority, or asks Celery's router.
        misfire: What happens to cron instants that passed while nothing ran.
        overlap: Whether an occurrence may start while an earlier one has not ended.
        pause_on_failure: After how many failed occurrences in a row its cron ticker is paused; 0: never.
        on_lost: Whether a run whose worker died starts again, or fails.

    Raises:
        TickerValidationError: The function, or an option, cannot be used.
        DuplicateFunctionError: Another function has this name.
    """
    check_name(name)

    def register(body: Callable[..., Any]) -> TickerFunction:
        function = make_function(
            body,
            name,
            cron=cron,
            every=every,
            time_zone=time_zone,
            day_or=day_or,
            start_at=start_at,
            end_at=end_at,
            max_runs=max_runs,
            exclude=exclude,
            jitter=jitter,
            priority=priority,
            max_concurrency=max_concurrency,
            max_concurrency_per_key=max_concurrency_per_key,
            rate_limit=rate_limit,
            retries=retries,
            retry_intervals=retry_intervals,
            timeout=timeout,
            hard_timeout=hard_timeout,
            queue=queue,
            misfire=misfire,
            overlap=overlap,
            pause_on_failure=pause_on_failure,
            on_lost=on_lost,
        )

        _hook_on(function)
        return TickerFunction(function, _current_manager)

    return register


def _hook_on(function: Function) -> None:
    """Register a function with the TickerQ of every app, those to come as well."""

    def register(app: Celery) -> None:
        tickerq = TickerQ.known(app)
        if tickerq is not None:
            tickerq.register(function)

    connect_on_app_finalize(register)
    for tickerq in TickerQ.living():
        # Those whose app takes no more pending decorators.
        if is_finalised(tickerq.app):
            tickerq.register(function)


def _current_manager() -> TimeTickerManager:
    """Return the manager of the current app, or of the only TickerQ there is.

    Celery's current app is each thread's own, and the threads of a web server have none.

    Raises:
        ConfigError: There is no TickerQ, or there are several.
    """
    current = TickerQ.known(current_app)
    others = TickerQ.living()
    if current is None and len(others) > 1:
        apps = ", ".join(sorted(each.app.main or "an unnamed app" for each in others))
        raise ConfigError(
            "app",
            f"this thread has no current Celery app, and there are several with a TickerQ ({apps}): "
            "call set_current() of the one that is meant, or its TickerQ's time_tickers.add",
        )
    found = others[0] if current is None and others else current
    return TickerQ.of(current_app).time_tickers if found is None else found.time_tickers
