"""What ended in a window, beside what ended in the span before it that is as long."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from tickerq_celery.views import EndCounts, ThroughputPoint, UncountedEnds
from tickerq_dashboard.reading.reader import Reader
from tickerq_dashboard.reading.windows import WindowChoice


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """What ended in a window, step by step, and in the span before it that is as long."""

    points: tuple[ThroughputPoint, ...]
    total: EndCounts
    before: EndCounts
    until: datetime
    is_complete: bool


def ends_of(reader: Reader, window: WindowChoice, now: datetime, uncounted: UncountedEnds | None) -> Ends:
    """Return what ended in a window up to now, and in the span before.

    Raises:
        QueryTooWideError: Reading it takes too long.
    """
    since, step = window.since(now), window.step
    # One series, cut in two.
    steps_before = -(-(now - since) // step)
    read = reader.tickerq.stats.throughput
    found = read(since=since - steps_before * step, step=step, uncounted=uncounted)
    points = tuple(each for each in found.points if each.at >= since)
    return Ends(
        points=points,
        total=summed((each.counts, 1.0) for each in points),
        before=before(found.points, since=since, now=now, step=step),
        until=found.until,
        is_complete=found.is_complete,
    )


def before(
    points: Sequence[ThroughputPoint], *, since: datetime, now: datetime, step: timedelta
) -> EndCounts:
    """Return what ended in the span before ``since`` that is as long as the one from there to now.

    It begins within a step: of that it has its share, by time.
    """
    begin = since - (now - since)
    return summed(
        (each.counts, min(1.0, (each.at + step - begin) / step))
        for each in points
        if begin < each.at + step <= since
    )


def summed(counts: Iterable[tuple[EndCounts, float]]) -> EndCounts:
    """Return the sum of shares of counts, in whole numbers."""
    each = list(counts)
    return EndCounts(
        **{
            field.name: round(sum(share * getattr(one, field.name) for one, share in each))
            for field in fields(EndCounts)
        }
    )
