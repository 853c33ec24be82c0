"""The coming hours as lanes, one a function: a mark for each start, a band where there are too many.

Lengths are shares of the width, so that the page's own width draws them.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from tickerq_celery.views import OutlookItem
from tickerq_dashboard.show.charts.scale import px, ticks
from tickerq_dashboard.show.moments import Clock
from tickerq_dashboard.show.starts import rate_words, starts_of

MOST_LANES, MOST_TICKS = 20, 8
# As many parts as a day has of ten minutes.
_SLOTS = 144
# A text nearer to an end would be cut.
_MARGIN = 2.0
# Every second text is left out below 900 pixels, and three of four below 640.
_LEFT_OUT = ("", "wide", "mid", "wide")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What one link of a lane draws, x and width of each part: of one ticker, or of a span of several."""

    item: OutlookItem | None
    since: datetime
    until: datetime
    title: str
    parts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """A function, how many starts it has in the window, and its marks."""

    function: str
    count: int
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A round moment of the window; ``css`` says on which pages there is no room for its text."""

    x: str
    text: str
    css: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lanes:
    """The lanes of the functions with most starts, the most first, how many there are, and their axis."""

    shown: tuple[Lane, ...]
    functions: int
    ticks: tuple[Tick, ...]


@dataclass(slots=True)
class _Slots:
    """What starts in each part of the window: a ticker's id, or None where several do."""

    count: int = 0
    owners: dict[int, UUID | None] = field(default_factory=dict)
    items: dict[UUID, OutlookItem] = field(default_factory=dict)

    def add(self, item: OutlookItem, slots: Iterable[int]) -> None:
        owner = item.cron_ticker_id or item.run_id
        if owner is None:
            return
        self.items[owner] = item
        for slot in slots:
            self.owners[slot] = owner if self.owners.get(slot, owner) == owner else None

    def runs(self) -> Iterator[tuple[UUID | None, int, int]]:
        """Yield neighbours with one owner as one: the owner, its first slot and its last."""
        first = last = None
        for slot in sorted(self.owners):
            if first is not None and last == slot - 1 and self.owners[slot] == self.owners[first]:
                last = slot
                continue
            if first is not None and last is not None:
                yield self.owners[first], first, last
            first = last = slot
        if first is not None and last is not None:
            yield self.owners[first], first, last


def lanes_of(items: Sequence[OutlookItem], since: datetime, until: datetime, clock: Clock) -> Lanes:
    """Return the lanes of what starts in a window; what is held or skipped does not."""
    functions: dict[str, _Slots] = {}
    alike: Counter[Hashable] = Counter()
    for item in items:
        if not item.is_held and not item.is_skipped:
            slots = functions.setdefault(item.function, _Slots())
            slots.count += item.starts
            # Thousands of cron tickers may have one timetable: a third one changes nothing.
            key = (item.function, item.moment, item.delay, item.every, item.starts, item.marks)
            alike[key] += 1
            if alike[key] <= 2:
                slots.add(item, _slots(item, since, until))
    most = sorted(functions, key=lambda name: (-functions[name].count, name))[:MOST_LANES]
    return Lanes(
        shown=tuple(
            Lane(
                function=name,
                count=functions[name].count,
                marks=tuple(_marks(functions[name], since, (until - since) / _SLOTS, clock)),
            )
            for name in most
        ),
        functions=len(functions),
        ticks=tuple(_ticks(since, until, clock)),
    )


def _slots(item: OutlookItem, since: datetime, until: datetime) -> Iterable[int]:
    def slot(moment: datetime) -> int:
        return min(_SLOTS - 1, int(max(0.0, (moment - since) / (until - since)) * _SLOTS))

    moments = starts_of(item) or item.marks
    # Without any, it starts all the time up to its last one.
    return map(slot, moments) if moments else range(slot(item.moment), slot(item.last or item.moment) + 1)


def _marks(slots: _Slots, since: datetime, slot: timedelta, clock: Clock) -> Iterator[Mark]:
    parts: dict[UUID, list[tuple[str, str]]] = {}
    for owner, first, last in slots.runs():
        part = (_share(first), _share(last - first + 1))
        if owner is not None:
            parts.setdefault(owner, []).append(part)
            continue
        begin, end = since + first * slot, since + (last + 1) * slot
        title = f"several, {clock.short(begin)} to {clock.short(end)}"
        yield Mark(item=None, since=begin, until=end, title=title, parts=(part,))
    for owner, own in parts.items():
        item = slots.items[owner]
        words = rate_words(item) if item.is_band else clock.short(item.moment)
        title = f"{item.description}: {words}" if item.description else words
        yield Mark(item=item, since=item.moment, until=item.moment, title=title, parts=tuple(own))


def _ticks(since: datetime, until: datetime, clock: Clock) -> Iterator[Tick]:
    for number, at in enumerate(ticks(clock.local(since), clock.local(until), MOST_TICKS)):
        share = (at - since) / (until - since) * 100
        if _MARGIN < share < 100 - _MARGIN:
            text = f"{at:%a} {at.day}" if (at.hour, at.minute) == (0, 0) else f"{at:%H:%M}"
            yield Tick(x=f"{px(share)}%", text=text, css=_LEFT_OUT[number % 4])


def _share(slots: int) -> str:
    return f"{slots / _SLOTS * 100:.2f}".rstrip("0").rstrip(".") + "%"
