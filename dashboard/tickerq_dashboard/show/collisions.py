"""Minutes in which the runs of several tickers start."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tickerq_celery.views import OutlookItem

MOST_SHOWN, MOST_NAMED = 10, 5
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
    """What starts in one minute."""

    tickers: set[object] = field(default_factory=set)
    functions: Counter[str] = field(default_factory=Counter)


def collisions_of(items: Iterable[OutlookItem]) -> list[Collision]:
    """Return the minutes in which more than one ticker starts, those of most tickers first.

    What is held or skipped does not start; a jitter moves a start.
    """
    minutes: dict[datetime, _Minute] = {}
    for item in items:
        if not item.is_held and not item.is_skipped:
            at = minutes.setdefault((item.moment + item.delay).replace(second=0, microsecond=0), _Minute())
            at.tickers.add(item.cron_ticker_id or item.run_id)
            at.functions[item.function] += 1
    found = [_collision(minute, at) for minute, at in minutes.items() if len(at.tickers) > 1]
    return sorted(found, key=lambda each: (-each.tickers, -each.starts, each.minute))[:MOST_SHOWN]


def _collision(minute: datetime, at: _Minute) -> Collision:
    named = at.functions.most_common(MOST_NAMED)
    return Collision(
        minute=minute,
        starts=at.functions.total(),
        tickers=len(at.tickers),
        functions=tuple(named),
        others=len(at.functions) - len(named),
    )
