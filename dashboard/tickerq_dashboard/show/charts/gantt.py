"""The attempts of a run on one axis of time: dots waited, solid ran, dashed is not made.

The axis is to scale as long as the shortest attempt can be seen on it. Beside a wait of hours it could not:
then the longest waits are cut, all to one length, so that no cut wait is drawn shorter than a whole one. An
axis of logarithms would need no cuts, but it would draw equal attempts unequally long.
"""

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from tickerq_dashboard.show.charts.scale import px
from tickerq_dashboard.show.durations import duration
from tickerq_dashboard.show.moments import Clock

# Lengths are in per cent of the width: what comes last has room for its box.
WIDTH, _BOX, _LEAST = 97.0, 3.0, 1.2
# How long the shortest attempt is drawn where waits can be cut for it: they keep half of the width.
SHORTEST = 2.0
# How long a letter is where the page is wide, and on a phone.
_LETTER, _LETTER_OF_NARROW = 1.9, 4.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One attempt; ``ended`` None runs still, ``started`` None is to come."""

    css: str
    due: datetime
    started: datetime | None
    ended: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """How an attempt is drawn: a dotted line, then a rectangle."""

    css: str
    wait_from: str
    wait_to: str
    x: str
    width: str
    is_to_come: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisLabel:
    """A text above the rows; ``css`` says on which pages there is no room for it."""

    x: str
    text: str
    anchor: str
    css: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gantt:
    """The rows, the labels above them, where lines go down from these, and where waits are cut."""

    rows: tuple[Row, ...]
    labels: tuple[AxisLabel, ...]
    lines: tuple[str, ...]
    cuts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """Where moments lie: ``places`` are those of ``moments``, and what is between two of these lies between.

    ``cuts`` are the places of the waits that are cut, each with how long it was.
    """

    moments: tuple[datetime, ...]
    places: tuple[float, ...]
    cuts: tuple[tuple[float, timedelta], ...]

    def at(self, moment: datetime) -> float:
        """Return the place of a moment; one beyond the ends has that of the end."""
        after = bisect_right(self.moments, moment)
        if after in {0, len(self.moments)}:
            return self.places[max(after - 1, 0)]
        begin, end = self.moments[after - 1], self.moments[after]
        low, high = self.places[after - 1], self.places[after]
        return low + (moment - begin) / (end - begin) * (high - low)


def axis_of(spans: Sequence[Span], now: datetime) -> Axis:
    """Return the axis of attempts, whose longest waits are cut where a short attempt needs their room."""
    ran = [(each.started, max(each.started, each.ended or now)) for each in spans if each.started is not None]
    moments = sorted({*(each.due for each in spans), *(moment for both in ran for moment in both)})
    pieces = [
        (end - begin, not any(start <= begin and end <= stop for start, stop in ran))
        for begin, end in pairwise(moments)
    ]
    scale, most = _scale(
        [length.total_seconds() for length, is_wait in pieces if is_wait],
        busy=sum(length.total_seconds() for length, is_wait in pieces if not is_wait),
        shortest=min(filter(None, ((end - begin).total_seconds() for begin, end in ran)), default=None),
    )
    places, cuts = [0.0], []
    for length, is_wait in pieces:
        width = length.total_seconds() * scale
        if is_wait and width > most:
            width = most
            cuts.append((places[-1] + width / 2, length))
        places.append(places[-1] + width)
    return Axis(moments=tuple(moments), places=tuple(places), cuts=tuple(cuts))


def gantt_of(spans: Sequence[Span], clock: Clock) -> Gantt:
    """Return the rows of attempts, the first one first, and the axis above them."""
    axis = axis_of(spans, clock.now)
    moments = dict.fromkeys(
        [*(each.started or each.due for each in spans), *(each.ended for each in spans[-1:] if each.ended)]
    )
    first, *others = [_Text(axis.at(each), clock.short(each)) for each in moments]
    cuts = [
        _Text(place, f"+{duration(length)}", is_cut=True)
        for place, length in sorted(axis.cuts, key=lambda cut: -cut[1])
    ]
    # Where there is no room for all, what the longest cuts leave out is what a reader cannot see otherwise.
    wide = _fitting([first, *cuts, *others], _LETTER)
    narrow = _fitting(wide, _LETTER_OF_NARROW)
    return Gantt(
        rows=tuple(_row(each, axis, clock.now) for each in spans),
        labels=tuple(_label(each, css="" if each in narrow else "wide") for each in wide),
        lines=tuple(_share(each.place) for each in wide if not each.is_cut),
        cuts=tuple(_share(each.place) for each in cuts),
    )


def _scale(waits: Sequence[float], *, busy: float, shortest: float | None) -> tuple[float, float]:
    """Return how long a second is drawn, and how long a wait is at most."""
    whole = busy + sum(waits)
    plain = WIDTH / whole if whole else 0.0
    if shortest is None or not waits:
        return plain, math.inf
    scale = min(SHORTEST / shortest, WIDTH / 2 / busy)
    if scale <= plain:
        return plain, math.inf
    return scale, _longest([each * scale for each in waits], WIDTH - busy * scale)


def _longest(lengths: Sequence[float], room: float) -> float:
    """Return to what the longest of some lengths are cut, so that all of them fill a room."""
    for at, length in enumerate(sorted(lengths)):
        share = room / (len(lengths) - at)
        if length >= share:
            return share
        room -= length
    return math.inf


def _row(span: Span, axis: Axis, now: datetime) -> Row:
    start = span.due if span.started is None else span.started
    x = axis.at(start)
    ran = _BOX if span.started is None else max(_LEAST, axis.at(span.ended or now) - x)
    return Row(
        css=span.css,
        wait_from=_share(axis.at(min(span.due, start))),
        wait_to=_share(x),
        x=_share(x),
        width=_share(ran),
        is_to_come=span.started is None,
    )


class _Text(NamedTuple):
    place: float
    text: str
    is_cut: bool = False

    def anchor(self) -> str:
        half = len(self.text) * _LETTER_OF_NARROW / 2
        return "start" if self.place < half else "end" if self.place > 100 - half else "middle"

    def span(self, letter: float) -> tuple[float, float]:
        """Return from where to where it reaches, with the room of a letter beside it."""
        width = (len(self.text) + 1) * letter
        left = self.place - {"start": 0.0, "middle": width / 2, "end": width}[self.anchor()]
        return left, left + width


def _fitting(texts: Sequence[_Text], letter: float) -> list[_Text]:
    """Return those that lie over none that comes before them."""
    found: list[_Text] = []
    for each in texts:
        low, high = each.span(letter)
        if all(high <= left or right <= low for left, right in (other.span(letter) for other in found)):
            found.append(each)
    return found


def _label(text: _Text, *, css: str) -> AxisLabel:
    return AxisLabel(x=_share(text.place), text=text.text, anchor=text.anchor(), css=css)


def _share(of_width: float) -> str:
    return f"{px(of_width)}%"
