"""Functions by name, and what of them is refused."""

import functools
from datetime import timedelta
from typing import Any

import pytest

from tests.inner import make_function
from tickerq_celery import CronSetting
from tickerq_celery.enums import MisfirePolicy, OnLost, OverlapPolicy, TickerPriority
from tickerq_celery.errors import DuplicateFunctionError, TickerValidationError
from tickerq_celery.functions.registry import Registry

MINUTE = timedelta(minutes=1)


def first() -> None: ...


def second() -> None: ...


def test_a_name_means_one_function() -> None:
    registry = Registry()
    known = make_function(first, "Send")
    registry.add(known)
    registry.add(make_function(first, "Send"))
    with pytest.raises(DuplicateFunctionError) as caught:
        registry.add(make_function(second, "Send"))
    locations = [
        f"{__name__}:{each.__name__}, line {each.__code__.co_firstlineno}" for each in (first, second)
    ]
    assert [caught.value.first, caught.value.second] == locations
    assert registry.get("Send") is known
    assert registry.get("send") is None


def test_two_functions_of_one_qualified_name_are_two_functions() -> None:
    def redefined() -> None: ...

    earlier = redefined

    def redefined() -> None: ...  # type: ignore[no-redef]

    for before, after in (
        (earlier, redefined),
        (functools.partial(earlier), functools.partial(redefined)),
        (decorated(earlier), decorated(redefined)),
    ):
        registry = Registry()
        registry.add(make_function(before, "Send"))
        registry.add(make_function(before, "Send"))
        with pytest.raises(DuplicateFunctionError, match=r"redefined, line \d+; .*redefined, line \d+"):
            registry.add(make_function(after, "Send"))


def decorated(body: Any) -> Any:
    @functools.wraps(body)
    def wrapper() -> None:
        body()

    return wrapper


def test_functions_are_listed_by_name() -> None:
    registry = Registry()
    for name in ("b", "C", "a"):
        registry.add(make_function(first, name))
    assert [function.name for function in registry] == ["C", "a", "b"]


def test_defaults_and_units() -> None:
    plain = make_function(first, None)
    assert (plain.name, plain.retries, plain.retry_intervals, plain.timeout) == ("first", 0, (), None)
    assert (plain.priority, plain.max_concurrency, plain.on_lost) == (
        TickerPriority.NORMAL,
        None,
        OnLost.RETRY,
    )
    timed = make_function(
        first, "f", timeout=timedelta(minutes=1), retries=0, retry_intervals=[timedelta(minutes=1), 2]
    )
    assert (timed.timeout, timed.retry_intervals) == (MINUTE, (MINUTE, MINUTE / 30))
    worded = make_function(first, "f", misfire="skip", overlap="skip", on_lost="fail", priority=1)
    assert (worded.misfire, worded.overlap) == (MisfirePolicy.SKIP, OverlapPolicy.SKIP)
    assert (worded.on_lost, worded.priority) == (OnLost.FAIL, TickerPriority.HIGH)


@pytest.mark.parametrize(
    "body", [functools.partial(first), functools.partial(functools.partial(first))], ids=["one", "two"]
)
def test_a_callable_without_a_name_needs_one(body: Any) -> None:
    with pytest.raises(TickerValidationError, match="function"):
        make_function(body, None)
    assert make_function(body, "Send").name == "Send"


@pytest.mark.parametrize("name", ["", " Send", "x" * 201, "nul\x00", 7])
def test_a_name_that_cannot_be_stored_is_refused(name: Any) -> None:
    with pytest.raises(TickerValidationError):
        make_function(first, name)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cron": "@daily", "every": 5}, "every: pass cron or every, not both"),
        ({"every": 0.5}, "every: must be a timedelta or seconds in steps of 1 s"),
        ({"every": 5, "jitter": 6}, "jitter: longer than the interval"),
        ({"cron": "@daily", "max_runs": 0}, "max_runs: must be a whole number"),
        ({"cron": "@daily", "exclude": "2026-12-25"}, "exclude: pass a list of dates"),
        ({"cron": "@daily", "day_or": "yes"}, "day_or: pass True or False"),
        ({"max_runs": 3}, "cron: start_at, end_at, max_runs, exclude, jitter need cron= or every="),
        ({"cron": CronSetting("digest_cron", default="99 * * * *")}, "expression: minute: '99'"),
        ({"cron": 5}, "expression: a cron expression is text"),
        ({"time_zone": "Mars/Base"}, "time_zone"),
    ],
)
def test_an_option_of_time_that_cannot_be_used_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(TickerValidationError, match=message):
        make_function(first, "Send", **options)


def test_an_interval_is_kept_as_an_expression_and_a_setting_as_it_is() -> None:
    assert make_function(first, "Send", every=timedelta(minutes=5)).cron == "@every 5m"
    setting = CronSetting("digest_cron")
    assert make_function(first, "Send", cron=setting).cron is setting


@pytest.mark.parametrize("name", ["", " ", "a\nb", None])
def test_a_setting_needs_a_name(name: Any) -> None:
    with pytest.raises(TickerValidationError, match="cron"):
        CronSetting(name)
