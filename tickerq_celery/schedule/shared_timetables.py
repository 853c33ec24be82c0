"""What many cron tickers do in one window: those with one timetable have it computed once."""

from collections.abc import Collection, Hashable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice, pairwise

from tickerq_celery.errors import TickerValidationError
from tickerq_celery.schedule.interval import EVERY
from tickerq_celery.schedule.timetable import Definition, Timetable, timetable_of

# Into so many parts a window is cut, in each of which one start says that there are some.
_PARTS = 100
# So many starts say how far apart they are.
_LOOKED_AT = 4
MOMENT = timedelta(microseconds=1)
# A day of a zone whose clocks go on by two hours, as none goes on by more.
_SHORTEST_DAY = timedelta(hours=22)


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowStarts:
    """The starts of a cron ticker in a window: the first ones, and how many there are in all.

    Of a band, which has more than these, ``every`` is the time between the first ones, where it is the same,
    ``last`` the last one, where it is known, and ``marks`` the first start in each part of the window, or
    each start where there are few; it has none where ``every`` holds from the first start to the last.
    """

    moments: tuple[datetime, ...]
    count: int
    every: timedelta | None = None
    last: datetime | None = None
    marks: tuple[datetime, ...] = ()

    @property
    def is_band(self) -> bool:
        """Whether there are too many starts to say each."""
        return self.count > len(self.moments)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutlookWindow:
    """What is looked at: from one moment on and before another.

    Of a cron ticker ``most_each`` starts are said singly; more are a band, or left out where there are no
    ``bands``.
    """

    since: datetime
    until: datetime
    now: datetime
    most_each: int
    bands: bool = True


@dataclass(frozen=True, slots=True)
class Begin:
    """Where the starts begin: behind a moment, and with the ``first`` start where that is known."""

    after: datetime
    first: datetime | None = None


class SharedTimetables:
    """Finds the starts of cron tickers in one window."""

    def __init__(self, window: OutlookWindow) -> None:
        self._window = window
        self._known: dict[Hashable, Timetable | None] = {}
        self._starts: dict[Hashable, WindowStarts] = {}

    def of(self, cron: Definition) -> Timetable | None:
        """Return a cron ticker's timetable; None where this machine cannot read its expression or zone."""
        key = _key(cron)
        if key not in self._known:
            try:
                self._known[key] = timetable_of(cron)
            except TickerValidationError:
                self._known[key] = None
        return self._known[key]

    def starts(self, cron: Definition, timetable: Timetable, begin: Begin) -> WindowStarts:
        """Return the starts of a cron ticker in the window."""
        key = (_key(cron), begin)
        if key not in self._starts:
            self._starts[key] = starts_in(timetable, self._window, begin)
        return self._starts[key]


def _key(cron: Definition) -> Hashable:
    # An interval without a start begins when it was stored.
    begun = cron.created_at if EVERY in cron.expression.lower() else None
    return (
        cron.expression,
        cron.time_zone,
        cron.day_or,
        cron.start_at,
        cron.end_at,
        cron.exclude,
        begun,
    )


def shortest_gap(expression: str) -> timedelta:
    """Return a time that surely lies between two starts, as far as an expression says at a glance.

    Thousands of cron tickers that fire once a day, each at another time, need not be parsed for that.
    """
    fields = expression.split()
    times = fields[: len(fields) - 3]
    is_daily = len(fields) in {5, 6} and all(map(str.isdecimal, times))
    return _SHORTEST_DAY if is_daily else MOMENT


def starts_in(
    timetable: Timetable,
    window: OutlookWindow,
    begin: Begin,
    *,
    taken: Collection[datetime] = (),
    left: int | None = None,
) -> WindowStarts:
    """Return the starts of a timetable in a window, without those ``taken``, and ``left`` at most."""
    first = _first(timetable, window, begin)
    if first is None:
        return WindowStarts(moments=(), count=0)
    count = 1 + timetable.count(first + MOMENT, window.until)
    count -= sum(1 for each in taken if first <= each < window.until)
    is_cut = left is not None and left < count
    count = left if is_cut and left is not None else count
    if count <= window.most_each or not window.bands:
        moments = tuple(islice(_walk(timetable, first, taken), min(count, window.most_each + 1)))
        return WindowStarts(moments=moments, count=len(moments))
    moments = tuple(islice(_walk(timetable, first, taken), _LOOKED_AT))
    gaps = {later - earlier for earlier, later in pairwise(moments)}
    every = gaps.pop() if len(gaps) == 1 else None
    evenly = None if every is None else moments[0] + (count - 1) * every
    last = evenly if is_cut else timetable.latest_at_or_before(window.until - MOMENT)
    marks = islice(_marks(timetable, window, moments[0], count), 0 if last == evenly else count)
    return WindowStarts(moments=moments[:1], count=count, every=every, last=last, marks=tuple(marks))


def _first(timetable: Timetable, window: OutlookWindow, begin: Begin) -> datetime | None:
    after, first = max(begin.after, window.since - MOMENT), begin.first
    if first is None or first <= after:
        first = timetable.next_after(after)
    return first if first is not None and first < window.until else None


def _walk(timetable: Timetable, first: datetime, taken: Collection[datetime]) -> Iterator[datetime]:
    moment: datetime | None = first
    while moment is not None:
        if moment not in taken:
            yield moment
        moment = timetable.next_after(moment)


def _marks(timetable: Timetable, window: OutlookWindow, first: datetime, count: int) -> Iterator[datetime]:
    part = (window.until - first) / _PARTS
    moment: datetime | None = first
    while moment is not None and moment < window.until:
        yield moment
        behind = moment if count <= _PARTS else first + ((moment - first) // part + 1) * part - MOMENT
        moment = timetable.next_after(max(moment, behind))
