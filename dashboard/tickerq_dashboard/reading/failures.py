"""What failed in a window, exception by exception, and which exceptions are new."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from tickerq_celery.views import ErrorGroup, UncountedEnds
from tickerq_dashboard.reading.reader import SLOW, Reader
from tickerq_dashboard.reading.windows import DEFAULT, WindowChoice

# As many ways to fail as are read, of whatever functions.
MOST_WAYS = 200
# What is first seen in the one is new, if it was not seen in the other before that.
NEW_FOR, REMEMBERED = DEFAULT, timedelta(days=7)
# A function, or None for all of them, and a type of exception.
Way: TypeAlias = tuple[str | None, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    """One type of exception in a window, whatever functions raised it: those with the most failures first.

    ``counts`` are the failures by step. ``error_type`` is None where runs failed without an exception.
    """

    error_type: str | None
    functions: tuple[str, ...]
    count: int
    counts: tuple[int, ...]
    last_seen: datetime
    is_new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstSeen:
    """When each way to fail was first seen, and ``since`` when what is first seen is new."""

    since: datetime
    moments: Mapping[Way, datetime]

    def is_new(self, error_type: str | None, function: str | None = None) -> bool:
        """Return True if an exception is new, or if that of a function is."""
        seen = self.moments.get((function, error_type))
        return seen is None or seen >= self.since


def failures_of(
    reader: Reader, window: WindowChoice, now: datetime, uncounted: UncountedEnds | None
) -> tuple[Failures, ...]:
    """Return what failed in a window by exception; which of it is new is looked up where something did.

    Raises:
        QueryTooWideError: Reading it takes too long.
    """
    found = reader.tickerq.errors.groups(
        since=window.since(now), limit=MOST_WAYS, with_samples=False, step=window.step, uncounted=uncounted
    )
    first = first_seen(reader, uncounted) if found.groups else None
    return by_exception(found.groups, first)


def by_exception(groups: Iterable[ErrorGroup], first: FirstSeen | None) -> tuple[Failures, ...]:
    """Return the failures of groups by their exceptions, the most first; without ``first`` none is new."""
    together: dict[str | None, list[ErrorGroup]] = defaultdict(list)
    for each in groups:
        together[each.error_type].append(each)
    found = [
        Failures(
            error_type=error_type,
            functions=tuple(each.function for each in sorted(those, key=_most_first)),
            count=sum(each.count for each in those),
            counts=tuple(map(sum, zip(*(each.counts for each in those), strict=True))),
            last_seen=max(each.last_seen for each in those),
            is_new=first is not None and first.is_new(error_type),
        )
        for error_type, those in together.items()
    ]
    return tuple(sorted(found, key=lambda each: (-each.count, -each.last_seen.timestamp())))


def first_seen(reader: Reader, uncounted: UncountedEnds | None) -> FirstSeen | None:
    """Return when what failed lately was first seen; None where that is too much to read.

    None also in a store in which nothing ended on the day before: there all would be new.
    """
    since = NEW_FOR.since(reader.now())

    def read() -> FirstSeen | None:
        stats, errors = reader.tickerq.stats, reader.tickerq.errors
        day = NEW_FOR.length
        before = stats.throughput(since=since - day, until=since, step=day, uncounted=uncounted)
        if not before.total.ends:
            return None
        found = errors.groups(
            since=since - REMEMBERED, limit=MOST_WAYS, with_samples=False, uncounted=uncounted
        ).groups
        return FirstSeen(since=since, moments=moments_of(found)) if len(found) < MOST_WAYS else None

    # What is first seen within that time is not in it, and new.
    return reader.cached_or_none("first seen", read, fresh=6 * SLOW)


def moments_of(groups: Sequence[ErrorGroup]) -> Mapping[Way, datetime]:
    """Return when each way to fail was first seen: those of a function, and of any."""
    moments: dict[Way, datetime] = {}
    for each in groups:
        for way in ((each.function, each.error_type), (None, each.error_type)):
            moments[way] = min(each.first_seen, moments.get(way, each.first_seen))
    return moments


def _most_first(group: ErrorGroup) -> tuple[int, str]:
    return -group.count, group.function
