"""The coming hours as lanes, one a function: a mark for each start, a band where there are too many."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from tickerq_dashboard.show.charts.scale import px

WIDTH = 640.0
MOST_LANES = 20
_SLOTS = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """A function, how many starts it has, and its marks: x and width."""

    function: str
    count: int
    marks: tuple[tuple[str, str], ...]


def lanes_of(starts: Iterable[tuple[str, datetime]], since: datetime, until: datetime) -> list[Lane]:
    """Return the lanes of the functions with most starts in a window, the most first."""
    slots: dict[str, Counter[int]] = {}
    for function, moment in starts:
        at = int(max(0.0, (moment - since) / (until - since)) * _SLOTS)
        slots.setdefault(function, Counter())[min(at, _SLOTS - 1)] += 1
    most = sorted(slots, key=lambda name: (-slots[name].total(), name))[:MOST_LANES]
    return [
        Lane(function=name, count=slots[name].total(), marks=tuple(_merged(sorted(slots[name]))))
        for name in most
    ]


def _merged(slots: list[int]) -> Iterable[tuple[str, str]]:
    """Join neighbours: marks that touch are a band."""
    wide = WIDTH / _SLOTS
    start = end = None
    for slot in slots:
        if end is not None and slot == end + 1:
            end = slot
            continue
        if start is not None and end is not None:
            yield px(start * wide), px((end - start + 1) * wide - 1)
        start = end = slot
    if start is not None and end is not None:
        yield px(start * wide), px((end - start + 1) * wide - 1)
