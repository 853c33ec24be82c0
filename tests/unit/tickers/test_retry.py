from datetime import timedelta

import pytest

from tickerq_celery.tickers.retry_policy import RetryPolicy

INTERVALS = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15))


@pytest.mark.parametrize(
    ("limit", "intervals", "waits"),
    [
        (0, INTERVALS, [None]),
        (3, INTERVALS, [60, 300, 900, None]),
        (5, INTERVALS, [60, 300, 900, 900, 900, None]),
        (1, INTERVALS, [60, None, None]),
        (2, (), [30, 30, None]),
        (2, (timedelta(0),), [0, 0, None]),
    ],
)
def test_the_last_interval_repeats_until_the_retries_are_used_up(
    limit: int, intervals: tuple[timedelta, ...], waits: list[int | None]
) -> None:
    policy = RetryPolicy(limit=limit, intervals=intervals)
    found = [policy.wait_before(retry) for retry in range(1, len(waits) + 1)]
    assert [None if wait is None else wait.total_seconds() for wait in found] == waits
