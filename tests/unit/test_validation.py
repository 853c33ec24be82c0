"""What a ticker's fields may hold."""

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from typing import Any

import pytest

from tickerq_celery import validation
from tickerq_celery.errors import TickerValidationError

TOKYO = timezone(timedelta(hours=9))


@pytest.mark.parametrize(
    ("check", "value"),
    [
        (lambda value: validation.name("f", value, 5), "☃" * 5),
        (lambda value: validation.name("f", value, 5), "a b"),
        (lambda value: validation.words("f", value, 5), ""),
        (lambda value: validation.words("f", value, 5), " a\n"),
        (lambda value: validation.words("f", value, 5), "\ta\r\n"),
        (validation.tags, []),
        (validation.tags, ["a", "a"]),
        (validation.retries, 0),
        (validation.retries, 1_000),
        (validation.retry_intervals, []),
        (validation.retry_intervals, [0, 0.5, 2_592_000]),
    ],
)
def test_what_fits_comes_back_as_it_is(check: Callable[[Any], Any], value: object) -> None:
    assert check(value) == value


@pytest.mark.parametrize(
    ("check", "values"),
    [
        (partial(validation.name, "f", longest=5), ["", " ", " a", "a\n", "x" * 6, "a\x00", "\udfff", b"a"]),
        (partial(validation.words, "f", longest=5), ["x" * 6, "\x00", "\ud800", "\x1b[2J", "a\x85", None, 7]),
        (partial(validation.name, "f", longest=5), ["a\nb", "a\rb", "a\x1bb", "\x7f", "a\x9bb", "a\u2028b"]),
        (validation.tags, ["eu", None, 7, {"eu"}, ["x" * 51], [7], [""], ["t"] * 21]),
        (validation.retries, [-1, 1_001, True, 1.0, "1", None]),
        (validation.retry_intervals, ["6", None, 6, [-1], ["60"], [True], [None], [math.inf], [1] * 1001]),
        (lambda value: validation.seconds("f", value), [-0.1, 2_592_000.1, float("nan"), True, "1", None]),
        (lambda value: validation.moment("f", value), [datetime(2026, 1, 1), "now", None, 7]),  # noqa: DTZ001
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
    found = validation.moment("at", datetime(2026, 1, 1, 9, 30, tzinfo=TOKYO))
    assert (found, found.tzinfo) == (datetime(2026, 1, 1, 0, 30, tzinfo=UTC), UTC)


def test_a_moment_that_utc_cannot_say_is_refused() -> None:
    with pytest.raises(TickerValidationError):
        validation.moment("at", datetime.min.replace(tzinfo=TOKYO))
