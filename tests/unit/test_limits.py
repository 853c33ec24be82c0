"""What a ticker's fields may hold."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from tickerq_celery import limits
from tickerq_celery.errors import TickerValidationError

TOKYO = timezone(timedelta(hours=9))


@pytest.mark.parametrize(
    ("check", "value"),
    [
        (lambda value: limits.name("f", value, 5), "☃" * 5),
        (lambda value: limits.name("f", value, 5), "a b"),
        (lambda value: limits.words("f", value, 5), ""),
        (lambda value: limits.words("f", value, 5), " a\n"),
        (lambda value: limits.words("f", value, 5), "\ta\r\n"),
        (limits.tags, []),
        (limits.tags, ["a", "a"]),
        (limits.retries, 0),
        (limits.retries, 1_000),
        (limits.retry_intervals, []),
        (limits.retry_intervals, [0, 0.5, 2_592_000]),
    ],
)
def test_what_fits_comes_back_as_it_is(check: Callable[[Any], Any], value: object) -> None:
    assert check(value) == value


@pytest.mark.parametrize(
    ("check", "values"),
    [
        (lambda value: limits.name("f", value, 5), ["", " ", " a", "a\n", "x" * 6, "a\x00", "\udfff", b"a"]),
        (lambda value: limits.words("f", value, 5), ["x" * 6, "\x00", "\ud800", "\x1b[2J", "a\x85", None, 7]),
        (lambda value: limits.name("f", value, 5), ["a\nb", "a\rb", "a\x1bb", "\x7f", "a\x9bb", "a\u2028b"]),
        (limits.tags, ["eu", None, 7, {"eu"}, ["x" * 51], [7], [""], ["t"] * 21]),
        (limits.retries, [-1, 1_001, True, 1.0, "1", None]),
        (limits.retry_intervals, ["60", None, 60, [-1], ["60"], [True], [None], [float("inf")], [0] * 1_001]),
        (lambda value: limits.seconds("f", value), [-0.1, 2_592_000.1, float("nan"), True, "1", None]),
        (lambda value: limits.moment("f", value), [datetime(2026, 1, 1), "now", None, 7]),  # noqa: DTZ001
    ],
)  # fmt: skip
def test_what_does_not_fit_is_an_error_that_shows_it(
    check: Callable[[Any], Any], values: list[object]
) -> None:
    for value in values:
        with pytest.raises(TickerValidationError, match="got ") as caught:
            check(value)
        assert caught.value.value is value or caught.value.value in (value or [])  # type: ignore[operator]


def test_a_moment_comes_back_as_utc() -> None:
    found = limits.moment("at", datetime(2026, 1, 1, 9, 30, tzinfo=TOKYO))
    assert (found, found.tzinfo) == (datetime(2026, 1, 1, 0, 30, tzinfo=UTC), UTC)


def test_a_moment_that_utc_cannot_say_is_refused() -> None:
    with pytest.raises(TickerValidationError):
        limits.moment("at", datetime.min.replace(tzinfo=TOKYO))
