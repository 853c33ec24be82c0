"""The options of a registered function, as its decorator takes them."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, TypedDict

from tickerq_celery import validation
from tickerq_celery.enums import (
    MisfirePolicy,
    MisfirePolicyLike,
    OnLost,
    OnLostLike,
    OverlapPolicy,
    OverlapPolicyLike,
    TickerPriority,
    TickerPriorityLike,
)
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.functions.cron_setting import CronSetting
from tickerq_celery.functions.limits import Rate
from tickerq_celery.payload.redaction import discreet
from tickerq_celery.schedule.bounds import BOUND_FIELDS, checked_bounds
from tickerq_celery.schedule.interval import expression_from
from tickerq_celery.tickers.keywords import refuse_unknown
from tickerq_celery.tickers.timeouts import checked_timeouts


class FunctionOptions(TypedDict, total=False):
    """The keywords of ``ticker_function``; one that is left out has the default of ``Function``.

    Durations are timedeltas or seconds.

    Keys:
        cron: An expression of 5 or 6 fields, or a CronSetting that holds one; workers seed a cron ticker for
            it when they start.
        every: Instead of ``cron``: elapsed time, counted from ``start_at`` or the first seeding.
        time_zone: IANA zone of ``cron`` and ``exclude``; None takes the ``time_zone`` setting.
        day_or: Whether one day field is enough where ``cron`` sets both.
        start_at: The first moment at which it may fire.
        end_at: The last moment at which it may fire.
        max_runs: How many instants get an occurrence; None: any number.
        exclude: Dates of the zone on which it does not fire.
        jitter: How much later than its instant a run may start, at most; fixed for each instant.
        priority: In which order due runs get slots and are published, and their messages' priority.
        max_concurrency: How many runs may be active at once, in all workers together; None: any number.
        max_concurrency_per_key: The same for runs with one concurrency key.
        rate_limit: How many runs may be claimed in a time, such as "10/m"; the units are s, m, h and d.
        retries: Extra attempts after the first.
        retry_intervals: Waits before each retry; the last repeats; 30 s where there are none.
        timeout: After which time the body gets SoftTimeLimitExceeded (prefork pool only).
        hard_timeout: After which time its process is killed; by default 30 s after ``timeout``.
        queue: The Celery queue; None takes that of the priority, or asks Celery's router.
        misfire: What happens to cron instants that passed while nothing ran.
        misfire_limit: How many missed instants ``misfire="run_all"`` runs, at most.
        misfire_grace: Instants missed by more are skipped whatever the policy says; None: none are.
        overlap: Whether an occurrence may start while an earlier one has not ended.
        pause_on_failure: After how many failed occurrences in a row its cron ticker is paused; None: never.
        description: Of its cron ticker: free text.
        tags: Of its cron ticker: words to find its occurrences by.
        request: Of its cron ticker: what each occurrence is given.
        on_lost: Whether a run whose worker died starts again, or fails.
    """

    cron: str | CronSetting | None
    every: timedelta | float | None
    time_zone: str | None
    day_or: bool
    start_at: datetime | None
    end_at: datetime | None
    max_runs: int | None
    exclude: Collection[date]
    jitter: timedelta | float
    priority: TickerPriorityLike
    max_concurrency: int | None
    max_concurrency_per_key: int | None
    rate_limit: str | None
    retries: int
    retry_intervals: Sequence[timedelta | float]
    timeout: timedelta | float | None
    hard_timeout: timedelta | float | None
    queue: str | None
    misfire: MisfirePolicyLike
    misfire_limit: int
    misfire_grace: timedelta | float | None
    overlap: OverlapPolicyLike
    pause_on_failure: int | None
    description: str | None
    tags: Sequence[str] | None
    request: object
    on_lost: OnLostLike


# They would say nothing of the other tickers that name the function.
_ONLY_WITH_CRON = ("misfire_limit", "misfire_grace", "description", "tags", "request")


def _queue(value: object) -> str | None:
    return None if value is None else validation.name("queue", value, validation.LONGEST_QUEUE)


def _rate(value: object) -> Rate | None:
    return None if value is None else Rate.parse(value)


def _description(value: object) -> str | None:
    return None if value is None else validation.description(value)


def _tags(value: object) -> tuple[str, ...] | None:
    return None if value is None else tuple(validation.tags(value))


# Those that are checked each by itself, and have the same name in a Function.
_CHECKS: Mapping[str, Callable[[object], object]] = {
    "day_or": partial(validation.flag, "day_or"),
    "priority": partial(validation.member, "priority", among=TickerPriority),
    "max_concurrency": partial(validation.limit, "max_concurrency"),
    "max_concurrency_per_key": partial(validation.limit, "max_concurrency_per_key"),
    "rate_limit": _rate,
    "retries": validation.retries,
    "retry_intervals": validation.retry_intervals,
    "queue": _queue,
    "misfire": partial(validation.member, "misfire", among=MisfirePolicy),
    "overlap": partial(validation.member, "overlap", among=OverlapPolicy),
    "misfire_limit": validation.misfire_limit,
    "misfire_grace": validation.misfire_grace,
    "pause_on_failure": validation.failures,
    "description": _description,
    "tags": _tags,
    "on_lost": partial(validation.member, "on_lost", among=OnLost),
}


def check_call(name: object, options: Mapping[str, object]) -> None:
    """Check how the decorator was called, before anything is decorated.

    Raises:
        TickerValidationError: The name is not text.
        UnknownKeywordError: A keyword is not an option.
    """
    if name is not None:
        validation.name("name", name, validation.LONGEST_FUNCTION)
    refuse_unknown("a function has no such option", options, FunctionOptions.__annotations__)


def checked_options(options: FunctionOptions) -> dict[str, Any]:
    """Return the keywords of a Function that stand for the options given; what was left out is absent.

    The expression and the time zone are checked later, together.

    Raises:
        TickerValidationError: An option cannot be used.
    """
    given: Mapping[str, Any] = {**options}
    cron = _cron(options.get("cron"), options.get("every"))
    for field in _ONLY_WITH_CRON:
        if cron is None and given.get(field) is not None:
            shown = discreet([field], given[field])
            raise TickerValidationError(field, shown, "it is of the cron ticker: pass cron= or every=, too")
    if given.get("retry_intervals") and given.get("retries") is None:
        reason = "nothing is retried without retries: pass retries=3; or 0, where only tickers ask for them"
        raise TickerValidationError("retry_intervals", given["retry_intervals"], reason)
    timeouts = checked_timeouts(options.get("timeout"), options.get("hard_timeout"))
    return {
        "cron": cron,
        "time_zone": options.get("time_zone"),
        "bounds": checked_bounds(**{field: given[field] for field in BOUND_FIELDS if field in given}),
        "timeout": timeouts.soft,
        "hard_timeout": timeouts.hard,
    } | {field: check(given[field]) for field, check in _CHECKS.items() if field in given}


def _cron(cron: str | CronSetting | None, every: object) -> str | CronSetting | None:
    if every is None:
        return cron
    if cron is not None:
        raise TickerValidationError("every", every, "pass cron or every, not both")
    return expression_from(None, every)
