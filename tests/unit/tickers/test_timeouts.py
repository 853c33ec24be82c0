from datetime import timedelta

import pytest

from tickerq_celery.errors import TickerValidationError
from tickerq_celery.tickers.timeouts import UNLIMITED, Timeouts, checked_timeouts


@pytest.mark.parametrize(
    ("timeouts", "seconds"),
    [
        (UNLIMITED, None),
        (Timeouts(soft=5), 35),
        (Timeouts(soft=5, hard=6), 6),
        (Timeouts(hard=6), 6),
    ],
)
def test_a_process_is_killed_some_time_after_its_function_was_interrupted(
    timeouts: Timeouts, seconds: float | None
) -> None:
    assert timeouts.kill_after == seconds


def test_timeouts_may_be_seconds_or_timedeltas() -> None:
    assert checked_timeouts(timedelta(minutes=1), 90.5) == Timeouts(soft=60, hard=90.5)
    assert checked_timeouts(None, None) == UNLIMITED


@pytest.mark.parametrize(
    ("timeout", "hard_timeout", "text"),
    [
        (0, None, "timeout: must be a timedelta or seconds, more than 0 s"),
        (None, 0, "hard_timeout: must be a timedelta or seconds, more than 0 s"),
        (-1, None, "timeout: must be a timedelta or seconds"),
        ("5", None, "timeout: must be a timedelta or seconds"),
        (True, None, "timeout: must be a timedelta or seconds"),
        (float("nan"), None, "timeout: must be a timedelta or seconds"),
        (5, 5, "hard_timeout: must be more than timeout, 5 s"),
        (5, 4, "hard_timeout: must be more than timeout, 5 s"),
    ],
)
def test_what_is_no_timeout_is_refused_by_name(timeout: object, hard_timeout: object, text: str) -> None:
    with pytest.raises(TickerValidationError) as raised:
        checked_timeouts(timeout, hard_timeout)
    assert str(raised.value).startswith(text)


def test_a_hard_timeout_alone_must_leave_the_function_its_own_timeout() -> None:
    assert checked_timeouts(None, 7, of_function=6.0) == Timeouts(hard=7)
    assert checked_timeouts(1, 2, of_function=6.0) == Timeouts(soft=1, hard=2)
    with pytest.raises(TickerValidationError, match="more than the timeout of its function, 6 s"):
        checked_timeouts(None, 6, of_function=6.0)
