from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.thoroughness import examples
from tickerq_celery.errors import InvalidCronError, TickerValidationError
from tickerq_celery.schedule.interval import Interval, checked_every, every_in, every_text, expression_from

START = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def test_instants_are_counted_from_the_start_which_is_the_first() -> None:
    interval = Interval(every=timedelta(minutes=90), start=START)
    assert interval.next_after(START - timedelta(days=9)) == START
    assert interval.next_after(START) == datetime(2026, 3, 29, 2, 0, tzinfo=UTC)
    assert interval.next_after(START + timedelta(minutes=89)) == datetime(2026, 3, 29, 2, 0, tzinfo=UTC)
    assert interval.latest_at_or_before(START) == START
    assert interval.latest_at_or_before(START + timedelta(minutes=179)) == START + timedelta(minutes=90)
    assert interval.latest_at_or_before(START - timedelta(microseconds=1)) is None


def test_the_end_of_the_calendar_has_no_further_instant() -> None:
    interval = Interval(every=timedelta(days=3650), start=START)
    assert interval.next_after(datetime(9998, 1, 1, tzinfo=UTC)) is None


@examples(200)
@given(
    st.integers(1, 10**8),
    st.timedeltas(timedelta(days=-4000), timedelta(days=4000)),
    st.integers(0, 999_999),
)
def test_any_start_finds_the_same_instants(seconds: int, distance: timedelta, offset: int) -> None:
    interval = Interval(every=timedelta(seconds=seconds), start=START + timedelta(microseconds=offset))
    moment = START + distance
    following = interval.next_after(moment)
    assert following is not None
    assert following > moment
    assert (following - interval.start) % interval.every == timedelta(0)
    assert interval.latest_at_or_before(following) == following
    before = interval.latest_at_or_before(following - timedelta(microseconds=1))
    if before is None:
        assert following == interval.start
    else:
        assert before <= moment
        assert interval.next_after(before) == following


@pytest.mark.parametrize(
    ("text", "seconds", "stored"),
    [
        ("@every 1s", 1, "@every 1s"),
        ("@every 90s", 90, "@every 1m30s"),
        (" @Every  1H30M ", 5400, "@every 1h30m"),
        ("@every 36h", 129_600, "@every 1d12h"),
        ("@every 3650d", 3650 * 86_400, "@every 3650d"),
    ],
)
def test_an_interval_is_written_as_an_expression(text: str, seconds: int, stored: str) -> None:
    every = every_in(text)
    assert every == timedelta(seconds=seconds)
    assert every_text(every) == stored
    assert every_in(stored) == every


@pytest.mark.parametrize("text", ["* * * * *", "@daily", "", "every 5m", None, 5])
def test_what_is_no_interval_is_left_to_others(text: object) -> None:
    assert every_in(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "@every",
        "@every 0s",
        "@every 5",
        "@every 1.5s",
        "@every -5s",
        "@every 5m 3s",
        "@every 3m2h",
        "@every 3651d",
        "@every 999999999d",
        "@every " + "9" * 10_000 + "s",
    ],
)
def test_an_interval_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(InvalidCronError, match="write @every and a time"):
        every_in(text)


@pytest.mark.parametrize("value", [timedelta(seconds=1), 1, 1.0, timedelta(days=3650)])
def test_an_interval_is_given_as_a_timedelta_or_seconds(value: object) -> None:
    assert checked_every(value) in {SECOND, timedelta(days=3650)}


@pytest.mark.parametrize(
    "value",
    [
        0,
        -1,
        0.5,
        1.5,
        True,
        "5m",
        None,
        timedelta(0),
        timedelta(milliseconds=999),
        timedelta(seconds=1.5),
        timedelta(days=3651),
        float("inf"),
        float("nan"),
        10**30,
    ],
)
def test_an_interval_that_cannot_be_used_is_refused_with_its_value(value: object) -> None:
    with pytest.raises(
        TickerValidationError, match="every: must be a timedelta or seconds in steps of 1 s"
    ) as caught:
        checked_every(value)
    assert caught.value.field == "every"


def test_an_expression_or_an_interval_is_needed_and_not_both() -> None:
    assert expression_from("@daily", None) == "@daily"
    assert expression_from(None, timedelta(minutes=5)) == "@every 5m"
    with pytest.raises(TickerValidationError, match="every: pass a cron expression or every, not both"):
        expression_from("@daily", SECOND)
    with pytest.raises(InvalidCronError, match="pass one, or every="):
        expression_from(None, None)
