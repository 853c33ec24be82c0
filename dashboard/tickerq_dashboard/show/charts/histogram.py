"""A histogram of durations: bars of equal width for times that grow by one factor, as buckets do."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from tickerq_celery.views import DurationBucket
from tickerq_dashboard.show.charts.bars import Label
from tickerq_dashboard.show.charts.scale import px, round_top
from tickerq_dashboard.show.durations import duration
from tickerq_dashboard.show.words import plural

_LEFT, _TOP, _BELOW, _GAP = 40.0, 16.0, 20.0, 2.0
_LEAST = 1.5
# How wide a letter is, with some room beside it.
_LETTER = 7.0
# Buckets are of √2; with more of them, each bar is two, and so on.
MOST_BARS, MOST_LABELS = 24, 7
_SHORTEST = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class HistogramBar:
    """How many attempts took longer than ``above``, up to ``up_to``; its area is what a pointer hits."""

    above: timedelta
    up_to: timedelta
    count: int
    x: str
    y: str
    width: str
    height: str
    hit: str
    hit_width: str

    @property
    def title(self) -> str:
        """What the bar says: "12 attempts took 0.7 s to 1 s"."""
        return f"{plural(self.count, 'attempt')} took {self.span}"

    @property
    def span(self) -> str:
        """How long they took."""
        return (
            f"{duration(self.above)} to {duration(self.up_to)}"
            if self.above
            else f"up to {duration(self.up_to)}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A line at a duration, such as the median, with its name around ``text_x``, or with none."""

    x: str
    text: str
    text_x: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """All that the template draws; ``step`` is by which factor a bar is longer than the one before."""

    name: str
    width: int
    height: int
    left: str
    right: str
    top: str
    zero: str
    bars: tuple[HistogramBar, ...]
    labels: tuple[Label, ...]
    marks: tuple[Mark, ...]


def histogram(
    name: str,
    buckets: Sequence[DurationBucket],
    marks: Sequence[tuple[str, timedelta | None]],
    *,
    width: int,
    height: int,
) -> Histogram | None:
    """Return the histogram of buckets with marks at some durations, drawn for a width in pixels.

    None where there are no buckets.
    """
    if not buckets:
        return None
    bars = _joined(buckets)
    top = round_top(max(count for _, _, count in bars))
    zero = height - _BELOW
    wide, tall = (width - _LEFT - 1) / len(bars), (zero - _TOP) / top
    drawn = [
        HistogramBar(
            above=above,
            up_to=up_to,
            count=count,
            x=px(_LEFT + at * wide + _GAP / 2),
            y=px(zero - _tall(count, tall)),
            width=px(max(1.0, wide - _GAP)),
            height=px(_tall(count, tall)),
            hit=px(_LEFT + at * wide),
            hit_width=px(wide),
        )
        for at, (above, up_to, count) in enumerate(bars)
    ]
    numbers = [
        Label(x=px(_LEFT - 8), y=px(_TOP + 4), text=f"{top:,}", anchor="end"),
        Label(x=px(_LEFT - 8), y=px(zero + 4), text="0", anchor="end"),
    ]
    return Histogram(
        name=name,
        width=width,
        height=height,
        left=px(_LEFT),
        right=px(width - 1),
        top=px(_TOP),
        zero=px(zero),
        bars=tuple(drawn),
        labels=(*numbers, *_bounds(bars, wide, height, most=MOST_LABELS if width > 400 else 4)),
        marks=tuple(_marks(marks, bars, wide, width)),
    )


def _joined(buckets: Sequence[DurationBucket]) -> list[tuple[timedelta, timedelta, int]]:
    """Return bars without gaps between the first and the last bucket, each of one bucket or of several."""
    first, last = _index(buckets[0].up_to), _index(buckets[-1].up_to)
    size = 1
    while (last - first) // size + 1 > MOST_BARS:
        size *= 2
    counts: dict[int, int] = {}
    for each in buckets:
        at = (_index(each.up_to) - first) // size
        counts[at] = counts.get(at, 0) + each.count
    return [
        (_upper(first + at * size - 1), _upper(first + (at + 1) * size - 1), counts.get(at, 0))
        for at in range((last - first) // size + 1)
    ]


def _index(up_to: timedelta) -> int:
    return round(2 * math.log2(up_to / _SHORTEST))


def _upper(index: int) -> timedelta:
    return timedelta(0) if index < 0 else _SHORTEST * 2 ** (index / 2)


def _tall(count: int, scale: float) -> float:
    return max(_LEAST, count * scale) if count else 0.0


def _bounds(
    bars: Sequence[tuple[timedelta, timedelta, int]], wide: float, height: int, *, most: int
) -> Iterator[Label]:
    """Yield what some of the bars go up to, below the axis."""
    every = -(-len(bars) // most)
    for at in range(every - 1, len(bars), every):
        anchor = "end" if at == len(bars) - 1 else "middle"
        yield Label(
            x=px(_LEFT + (at + 1) * wide), y=px(height - 4), text=duration(bars[at][1]), anchor=anchor
        )


def _marks(
    marks: Sequence[tuple[str, timedelta | None]],
    bars: Sequence[tuple[timedelta, timedelta, int]],
    wide: float,
    width: int,
) -> Iterator[Mark]:
    """Yield lines with their names; of lines whose names would lie over one another the first has all."""
    groups: list[list[tuple[float, str]]] = []
    for name, value in marks:
        if value is None:
            continue
        groups.append([(_place(value, bars, wide), name)])
        while len(groups) > 1 and _text_of(groups[-2], width)[2] > _text_of(groups[-1], width)[0]:
            last = groups.pop()
            groups[-1] += last
    for group in groups:
        low, text, high = _text_of(group, width)
        for at, (x, _) in enumerate(group):
            yield Mark(x=px(x), text="" if at else text, text_x=px((low + high) / 2))


def _text_of(group: Sequence[tuple[float, str]], width: int) -> tuple[float, str, float]:
    """Return the names of lines, with where they begin and end: around the lines, but on the chart."""
    text = ", ".join(name for _, name in group)
    half = _LETTER * len(text) / 2
    middle = min((group[0][0] + group[-1][0]) / 2, width - half)
    return middle - half, text, middle + half


def _place(value: timedelta, bars: Sequence[tuple[timedelta, timedelta, int]], wide: float) -> float:
    """Return where a duration lies within the bar that it is in."""
    at = next((at for at, (_, up_to, _) in enumerate(bars) if value <= up_to), len(bars) - 1)
    above, up_to, _ = bars[at]
    low = max(above, _SHORTEST / 2)
    part = math.log(max(value, low) / low) / math.log(up_to / low) if up_to > low else 1.0
    return _LEFT + (at + min(1.0, part)) * wide
