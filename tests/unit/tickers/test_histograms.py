"""Histograms add up, and their percentiles are near the real ones, whatever the durations are."""

import json
import math
from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickerq_celery.tickers.histograms import Histogram, Spread, bucket_of

MILLISECOND, MICROSECOND = timedelta(milliseconds=1), timedelta(microseconds=1)
# From what a histogram tells apart to a hundred years.
DURATIONS = st.timedeltas(min_value=MILLISECOND, max_value=timedelta(days=36_525))
LISTS = st.lists(DURATIONS, max_size=30)
# Half of a factor of √2, and the rounding to microseconds.
FACTOR, ROUNDED = 2**0.25, 0.002


@pytest.mark.parametrize(
    ("duration", "bucket"),
    [
        (-MILLISECOND, 0),
        (timedelta(0), 0),
        (MICROSECOND, 0),
        (MILLISECOND, 0),
        (MILLISECOND + MICROSECOND, 1),
        (1_414 * MICROSECOND, 1),
        (1_415 * MICROSECOND, 2),
        (2 * MILLISECOND, 2),
        (2 * MILLISECOND + MICROSECOND, 3),
        (1_024 * MILLISECOND, 20),
        (1_024 * MILLISECOND + MICROSECOND, 21),
    ],
)
def test_a_bucket_ends_at_its_power_of_the_square_root_of_two(duration: timedelta, bucket: int) -> None:
    assert bucket_of(duration) == bucket


@given(DURATIONS)
def test_a_duration_is_within_the_bounds_of_its_bucket(duration: timedelta) -> None:
    exponent = 2 * math.log2(duration / MILLISECOND)
    assert bucket_of(duration) - 1 - 1e-9 <= exponent <= bucket_of(duration) + 1e-9


@given(LISTS, LISTS)
def test_what_is_added_up_is_what_all_of_it_together_makes(
    some: Sequence[timedelta], others: Sequence[timedelta]
) -> None:
    assert Spread.of(some).plus(Spread.of(others)) == Spread.of([*some, *others])


@given(LISTS.filter(bool), st.integers(1, 100))
def test_a_percentile_is_within_a_fifth_of_the_real_one(durations: list[timedelta], percent: int) -> None:
    real = sorted(durations)[max(1, math.ceil(len(durations) * percent / 100)) - 1]
    found = Spread.of(durations).percentile(percent)
    assert found is not None
    assert real / (FACTOR + ROUNDED) <= found <= min(real * (FACTOR + ROUNDED), max(durations))


@given(LISTS)
def test_a_histogram_that_was_stored_is_the_same(durations: list[timedelta]) -> None:
    histogram = Histogram.of(durations)
    assert Histogram.from_json(histogram.as_json()) == histogram
    assert histogram.total == len(durations)


@given(st.lists(LISTS, max_size=5))
def test_histograms_that_were_stored_add_up(lists: Sequence[Sequence[timedelta]]) -> None:
    texts = ",".join(json.dumps(Histogram.of(each).as_json()) for each in lists)
    assert Histogram.of_texts(texts) == Histogram.of(each for some in lists for each in some)


def test_nothing_has_no_percentile_and_no_mean() -> None:
    assert (Spread().percentile(50), Spread().mean, Histogram().percentile(99)) == (None, None, None)


@given(LISTS)
def test_the_bounds_of_the_buckets_hold_every_duration(durations: Sequence[timedelta]) -> None:
    found = list(Histogram.of(durations).bounds())
    assert sum(count for _, _, count in found) == len(durations)
    assert all(above < up_to for above, up_to, _ in found)
    # To the microsecond to which the bounds are rounded.
    for above, up_to, count in found:
        assert count <= sum(above - MICROSECOND <= each <= up_to + MICROSECOND for each in durations)
    assert list(Histogram.of([timedelta(0)]).bounds()) == [(timedelta(0), MILLISECOND, 1)]
