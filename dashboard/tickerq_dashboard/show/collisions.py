"""Minutes in which the runs of several tickers start."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import nsmallest

from tickerq_celery.views import OutlookItem
from tickerq_dashboard.show.starts import starts_of

MOST_SHOWN, MOST_NAMED = 5, 5
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Collision:
    """A minute in which runs of ``tickers`` different tickers start; ``starts`` may be more.

    ``functions`` are those with most starts, with how many; ``others`` is how many more there are.
    """

    minute: datetime
    starts: int
    tickers: int
    functions: tuple[tuple[str, int], ...]
    others: int

    @property
    def ends(self) -> datetime:
        """When the minute is over."""
        return self.minute + MINUTE


@dataclass(slots=True)
class _Minute:
    """What starts in one minute: tickers by themselves, and bands that many tickers may have."""

    functions: list[str] = field(default_factory=list)
    tickers: set[object] = field(default_factory=set)
    bands: list[Counter[str]] = field(default_factory=list)
    of_bands: int = 0

    @property
    def count(self) -> int:
        """How many tickers start."""
        return len(self.tickers) + self.of_bands


def collisions_of(items: Iterable[OutlookItem]) -> list[Collision]:
    """Return the minutes in which more than one ticker starts, those of most tickers first.

    What is held or skipped does not start, and a band of very many starts is left out. A jitter moves one.
    """
    minutes: defaultdict[datetime, _Minute] = defaultdict(_Minute)
    # Thousands of cron tickers may start at the same moments.
    alike: dict[Hashable, tuple[OutlookItem, Counter[str]]] = {}
    for item in items:
        if item.is_held or item.is_skipped:
            continue
        if item.is_band:
            key = (item.moment, item.every, item.starts, item.marks)
            alike.setdefault(key, (item, Counter()))[1][item.function] += 1
            continue
        at = minutes[_minute(item.moment + item.delay)]
        at.tickers.add(item.cron_ticker_id or item.run_id)
        at.functions.append(item.function)
    for item, functions in alike.values():
        tickers = functions.total()
        for minute in {_minute(moment) for moment in starts_of(item)}:
            at = minutes[minute]
            at.bands.append(functions)
            at.of_bands += tickers
    found = [(minute, at) for minute, at in minutes.items() if at.count > 1]
    fullest = nsmallest(
        MOST_SHOWN, found, key=lambda each: (-each[1].count, -len(each[1].functions), each[0])
    )
    return [_collision(minute, at) for minute, at in fullest]


def _minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


def _collision(minute: datetime, at: _Minute) -> Collision:
    functions = sum(at.bands, Counter(at.functions))
    named = functions.most_common(MOST_NAMED)
    return Collision(
        minute=minute,
        starts=functions.total(),
        tickers=at.count,
        functions=tuple(named),
        others=len(functions) - len(named),
    )
