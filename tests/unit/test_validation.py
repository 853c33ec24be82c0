"""What a ticker's fields may hold."""

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
        (validation.retry_intervals, ()),
        (validation.retry_intervals, (timedelta(0), timedelta(seconds=0.5), timedelta(days=30))),
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
        (partial(validation.duration, "f"), [-0.1, 2_592_000.1, math.nan, math.inf, 1e30, True, "1", None]),
        (partial(validation.duration, "f"), [10**400, timedelta(seconds=-1), timedelta(days=31)]),
        (partial(validation.duration, "f", least=validation.MORE_THAN_ZERO), [0, 0.0, 1e-9, timedelta(0)]),
        (partial(validation.duration, "f", step=timedelta(seconds=1)), [0.5, timedelta(milliseconds=1)]),
        (partial(validation.whole, "f", least=1, most=3), [0, 4, True, 1.0, "1", None]),
        (partial(validation.whole, "f", least=0), [-1, False, 1.5]),
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


@pytest.mark.parametrize("given", [90, 90.0, timedelta(seconds=90)])
def test_a_duration_is_seconds_or_a_timedelta(given: object) -> None:
    assert validation.duration("f", given) == timedelta(seconds=90)


@pytest.mark.parametrize(
    ("check", "note"),
    [
        (validation.failures, "None means never"),
        (partial(validation.limit, "max_concurrency"), "None means no limit"),
        (validation.misfire_grace, "None means no limit"),
    ],
)
def test_none_is_no_limit_and_never_and_zero_is_refused_with_its_name(
    check: Callable[[Any], Any], note: str
) -> None:
    assert check(None) is None
    with pytest.raises(TickerValidationError, match=rf"; {note} \(got 0\)"):
        check(0)


MICROSECONDS = st.integers(0, validation.LONGEST_INTERVAL // validation.MORE_THAN_ZERO)


@given(microseconds=MICROSECONDS)
def test_a_duration_in_seconds_is_the_timedelta_to_the_microsecond(microseconds: int) -> None:
    span = timedelta(microseconds=microseconds)
    assert validation.duration("f", span.total_seconds()) == validation.duration("f", span) == span


NO_DURATIONS = st.one_of(
    st.booleans(),
    st.floats(max_value=-1e-6),
    st.floats(min_value=2_592_001),
    st.just(math.nan),
    st.integers(max_value=-1),
    st.integers(min_value=2_592_001),
    st.timedeltas(max_value=-validation.MORE_THAN_ZERO),
    st.timedeltas(min_value=validation.LONGEST_INTERVAL + validation.MORE_THAN_ZERO),
    st.text(),
    st.none(),
)


@given(value=NO_DURATIONS)
def test_what_is_no_duration_is_an_error_that_names_the_field_and_the_value(value: object) -> None:
    with pytest.raises(
        TickerValidationError, match=r"^wait: must be a timedelta or seconds, .*\(got "
    ) as caught:
        validation.duration("wait", value)
    assert (caught.value.field, caught.value.value) == ("wait", value) or value != value


def test_the_error_of_a_number_names_its_bounds() -> None:
    with pytest.raises(
        TickerValidationError, match=r"^f: must be a whole number from 0 to 1,000; 0 means never \("
    ):
        validation.whole("f", -1, 0, 1_000, note="0 means never")
    with pytest.raises(
        TickerValidationError, match=r"^f: must be a timedelta or seconds, from 0 s to 30 days \("
    ):
        validation.duration("f", -1)
    checked = partial(validation.duration, "f", least=validation.MORE_THAN_ZERO, most=timedelta(days=1))
    with pytest.raises(TickerValidationError, match=r"in steps of 1 s, more than 0 s, at most a day \("):
        checked(0.5, step=timedelta(seconds=1))
