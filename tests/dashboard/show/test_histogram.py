"""The histogram of durations: no bucket is lost, no gap is left, and marks lie where they belong."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickerq_celery.tickers.histograms import Histogram
from tickerq_celery.views import DurationBucket
from tickerq_dashboard.show.charts.histogram import MOST_BARS, histogram

SECOND = timedelta(seconds=1)
DURATIONS = st.lists(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=30)), min_size=1)


def buckets_of(durations: Sequence[timedelta]) -> list[DurationBucket]:
    bounds = Histogram.of(durations).bounds()
    return [DurationBucket(above=above, up_to=up_to, count=count) for above, up_to, count in bounds]


@given(DURATIONS)
def test_every_run_is_in_one_bar_and_bars_follow_one_another(durations: list[timedelta]) -> None:
    drawn = histogram("only", buckets_of(durations), (), width=640, height=150)
    assert drawn is not None
    assert sum(bar.count for bar in drawn.bars) == len(durations)
    assert len(drawn.bars) <= MOST_BARS
    for one, other in pairwise(drawn.bars):
        assert one.up_to == other.above
    tall = {bar.count: float(bar.height) for bar in drawn.bars}
    assert [tall[count] for count in sorted(tall)] == sorted(tall.values())
    assert all(0 <= float(bar.y) <= float(drawn.zero) for bar in drawn.bars)


def test_a_mark_is_in_the_bar_of_its_duration() -> None:
    buckets = buckets_of([SECOND * each for each in (1, 2, 4, 8, 16)])
    drawn = histogram("only", buckets, (("p50", 4 * SECOND), ("p99", None)), width=640, height=150)
    assert drawn is not None
    [mark] = drawn.marks
    [bar] = [each for each in drawn.bars if each.above < 4 * SECOND <= each.up_to]
    assert float(bar.hit) <= float(mark.x) <= float(bar.hit) + float(bar.hit_width) + 0.1
    assert bar.title == "1 attempt took 2.9\u202fs to 4.1\u202fs"


@given(DURATIONS, st.integers(min_value=320, max_value=900))
def test_no_name_of_a_mark_lies_over_another(durations: list[timedelta], width: int) -> None:
    ordered = sorted(durations)
    marks = [(f"p{part}", ordered[len(ordered) * part // 100]) for part in (50, 95, 99)]
    drawn = histogram("only", buckets_of(durations), marks, width=width, height=150)
    assert drawn is not None
    assert len(drawn.marks) == 3
    texts = [(float(mark.text_x), mark.text) for mark in drawn.marks if mark.text]
    assert ", ".join(text for _, text in texts) == "p50, p95, p99"
    # A letter of the chart's text is 6 pixels wide.
    ends = [(x - 3 * len(text), x + 3 * len(text)) for x, text in texts]
    assert all(right <= left for (_, right), (left, _) in pairwise(ends))
    assert ends[-1][1] <= width


@pytest.mark.parametrize("durations", [[timedelta(0)], [timedelta(days=30)]])
def test_one_bar_is_a_chart(durations: list[timedelta]) -> None:
    drawn = histogram("only", buckets_of(durations), (("p50", durations[0]),), width=330, height=150)
    assert drawn is not None
    assert len(drawn.bars) == len(drawn.marks) == 1


def test_without_durations_there_is_no_chart() -> None:
    assert histogram("only", [], (), width=640, height=150) is None
