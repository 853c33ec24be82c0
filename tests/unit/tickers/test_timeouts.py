from datetime import timedelta

import pytest

from tickerq_celery.errors import TickerValidationError
from tickerq_celery.tickers.timeouts import UNLIMITED, TimeLimits, Timeouts, checked_timeouts

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("timeouts", "limits"),
    [
        (UNLIMITED, TimeLimits()),
        (Timeouts(soft=5 * SECOND), TimeLimits(soft=5, hard=35)),
        (Timeouts(soft=5 * SECOND, hard=6 * SECOND), TimeLimits(soft=5, hard=6)),
        (Timeouts(hard=6 * SECOND), TimeLimits(hard=6)),
    ],
)
def test_a_process_is_killed_some_time_after_its_function_was_interrupted(
    timeouts: Timeouts, limits: TimeLimits
) -> None:
    assert timeouts.of_a_task == limits


def test_timeouts_may_be_seconds_or_timedeltas() -> None:
    assert checked_timeouts(timedelta(minutes=1), 90.5) == Timeouts(soft=60 * SECOND, hard=90.5 * SECOND)
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
        (90.04, 90.02, "hard_timeout: must be more than timeout, 1 min 30.04 s"),
    ],
)
def test_what_is_no_timeout_is_refused_by_name(timeout: object, hard_timeout: object, text: str) -> None:
    with pytest.raises(TickerValidationError) as raised:
        checked_timeouts(timeout, hard_timeout)
    assert str(raised.value).startswith(text)


def test_a_hard_timeout_alone_must_leave_the_function_its_own_timeout() -> None:
    assert checked_timeouts(None, 7, of_function=6 * SECOND) == Timeouts(hard=7 * SECOND)
    assert checked_timeouts(1, 2, of_function=6 * SECOND) == Timeouts(soft=SECOND, hard=2 * SECOND)
    with pytest.raises(TickerValidationError, match="more than the timeout of its function, 6 s"):
        checked_timeouts(None, 6, of_function=6 * SECOND)
