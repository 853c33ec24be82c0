"""What the overview shows: six readings, each of which may be too wide without taking the others with it."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime

from tickerq_celery.views import (
    EndCounts,
    ErrorGroups,
    NodeView,
    Outlook,
    RunCounts,
    ThroughputPoint,
    Timings,
    UncountedEnds,
)
from tickerq_dashboard.reading.reader import SLOW, Reader, or_none
from tickerq_dashboard.reading.windows import Window

ERRORS_SHOWN, NEXT_SHOWN, ERRORS_COMPARED = 8, 10, 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """What ended in a window, step by step, and in the window before."""

    points: tuple[ThroughputPoint, ...]
    total: EndCounts
    before: EndCounts
    until: datetime
    is_complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The values of the overview; what is None was too much to read."""

    window: Window
    since: datetime
    counts: RunCounts | None
    ends: Ends | None
    lag: Timings | None
    errors: ErrorGroups | None
    known_errors: frozenset[tuple[str, str | None]] | None
    upcoming: Outlook | None
    nodes: tuple[NodeView, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing has run, runs or will run."""
        has_ends = self.ends is None or self.ends.total.ends + self.ends.before.ends > 0
        counts = self.counts
        is_active = counts is None or any(
            map(int, (counts.in_progress, counts.queued, counts.due, counts.scheduled))
        )
        may_come = self.upcoming is None or len(self.upcoming) > 0 or self.upcoming.truncated is not None
        return not has_ends and not is_active and not may_come


def read_overview(reader: Reader, window: Window) -> Overview:
    """Return the overview of a window, read once for all who look at it."""
    return reader.cached(("overview", window.slug), lambda: _read(reader, window), fresh=2.0)


def _read(reader: Reader, window: Window) -> Overview:
    tickerq, since, uncounted = reader.tickerq, window.since(reader.now()), reader.uncounted()
    return Overview(
        window=window,
        since=since,
        counts=or_none(tickerq.runs.counts),
        ends=or_none(lambda: _ends(reader, window, since, uncounted)),
        lag=or_none(lambda: tickerq.stats.lag(since=since, step=window.step, uncounted=uncounted)),
        errors=or_none(lambda: tickerq.errors.groups(since=since, limit=ERRORS_SHOWN, uncounted=uncounted)),
        known_errors=known_errors(reader, window, since, uncounted),
        upcoming=or_none(lambda: tickerq.outlook.upcoming(limit=NEXT_SHOWN)),
        nodes=or_none(reader.nodes) or (),
    )


def _ends(reader: Reader, window: Window, since: datetime, uncounted: UncountedEnds | None) -> Ends:
    read = reader.tickerq.stats.throughput
    found = read(since=since - window.length, step=window.step, uncounted=uncounted)
    # One series, cut in two: the first half may begin an hour early, since windows are of whole hours.
    points = tuple(each for each in found.points if each.at >= since)
    return Ends(
        points=points,
        total=summed(each.counts for each in points),
        before=summed(each.counts for each in found.points if each.at < since),
        until=found.until,
        is_complete=found.is_complete,
    )


def summed(counts: Iterable[EndCounts]) -> EndCounts:
    """Return the sum of counts."""
    each = list(counts)
    return EndCounts(
        **{field.name: sum(getattr(one, field.name) for one in each) for field in fields(EndCounts)}
    )


def known_errors(
    reader: Reader, window: Window, since: datetime, uncounted: UncountedEnds | None
) -> frozenset[tuple[str, str | None]] | None:
    """Return which errors the window before had, or None where that is too much to read."""

    def read() -> frozenset[tuple[str, str | None]]:
        before = reader.tickerq.errors.groups(
            since=since - window.length,
            until=since,
            limit=ERRORS_COMPARED,
            with_samples=False,
            uncounted=uncounted,
        )
        return frozenset((each.function, each.error_type) for each in before.groups)

    return reader.cached_or_none(("errors before", window.slug), read, fresh=6 * SLOW)
