"""Rates: how many runs may be claimed at once, and how long the next must wait."""

from datetime import timedelta

import pytest

from tests.inner import FunctionLimits, Rate, limits_from, slower
from tickerq_celery.errors import TickerValidationError

TEXTS = ("1/s", "3/s", "7/s", "20/s", "21/s", "100/s", "1000/m", "10/m", "7/h", "9999/h", "3/d", "1000000/s")


@pytest.mark.parametrize(
    ("text", "size", "wait"),
    [
        ("10/m", 1, timedelta(seconds=6)),
        ("1/h", 1, timedelta(hours=1)),
        ("2/d", 1, timedelta(hours=12)),
        ("20/s", 1, timedelta(seconds=0.05)),
        ("100/s", 5, timedelta(seconds=0.05)),
        ("3/s", 1, timedelta(seconds=0.334)),
    ],
)
def test_a_rate_is_spread_evenly(text: str, size: int, wait: timedelta) -> None:
    rate = Rate.parse(text)
    assert (rate.size, rate.wait, str(rate)) == (size, wait, text)


@pytest.mark.parametrize("text", TEXTS)
def test_no_period_sees_more_than_the_rate_says_and_few_see_much_less(text: str) -> None:
    rate = Rate.parse(text)
    groups = -(-rate.period // rate.wait)
    assert 0.9 * rate.count <= rate.size * groups <= rate.count


@pytest.mark.parametrize("text", TEXTS)
def test_a_group_is_no_sooner_than_a_beat_can_be_back(text: str) -> None:
    assert Rate.parse(text).wait >= timedelta(milliseconds=50)


@pytest.mark.parametrize("text", ["", "10", 10, "0/m", "-1/m", "1.5/s", "9/w", "9 / m", "9/M", "99999999/s"])
def test_what_is_no_rate_is_refused(text: object) -> None:
    with pytest.raises(TickerValidationError, match="rate_limit"):
        Rate.parse(text)


def test_the_slower_of_two_rates_counts_whatever_their_units() -> None:
    slow, fast = Rate.parse("59/m"), Rate.parse("1/s")
    assert slower(slow, fast) == slower(fast, slow) == slow
    assert slower(None, fast) == slower(fast, None) == fast
    assert slower(None, None) is None


def test_of_two_workers_the_stricter_limit_counts_in_each_respect() -> None:
    old = FunctionLimits(max_concurrency=5, max_concurrency_per_key=1)
    new = FunctionLimits(max_concurrency=None, max_concurrency_per_key=3, rate=Rate.parse("10/m"))
    expected = FunctionLimits(max_concurrency=5, max_concurrency_per_key=1, rate=Rate.parse("10/m"))
    assert old.stricter(new) == new.stricter(old) == expected
    without = FunctionLimits(max_concurrency_per_key=None)
    assert old.stricter(without) == without.stricter(old) == old
    assert without.stricter(without) == without


@pytest.mark.parametrize(
    ("limits", "without_key", "with_key"),
    [
        (FunctionLimits(), False, True),
        (FunctionLimits(max_concurrency_per_key=None), False, False),
        (FunctionLimits(max_concurrency=1, max_concurrency_per_key=None), True, True),
        (FunctionLimits(rate=Rate.parse("1/s"), max_concurrency_per_key=None), True, True),
    ],
)
def test_limits_of_none_bound_no_run(limits: FunctionLimits, without_key: bool, with_key: bool) -> None:
    assert (limits.bounds(None), limits.bounds("eu")) == (without_key, with_key)


@pytest.mark.parametrize(
    ("stored", "limits"),
    [
        (FunctionLimits(max_concurrency=3, rate=Rate.parse("2/h")).as_json(), None),
        (FunctionLimits(max_concurrency_per_key=4).as_json(), FunctionLimits(max_concurrency_per_key=4)),
        (
            FunctionLimits(max_concurrency_per_key=None).as_json(),
            FunctionLimits(max_concurrency_per_key=None),
        ),
    ],
    ids=["a rate", "no rate", "no limit of a key"],
)
def test_limits_are_read_as_they_were_written(stored: object, limits: FunctionLimits | None) -> None:
    assert limits_from(stored) == (limits or FunctionLimits(max_concurrency=3, rate=Rate.parse("2/h")))
