"""What the overview shows: six readings, each of which may be too wide without taking the others with it."""

from dataclasses import dataclass
from datetime import datetime

from tickerq_celery.views import NodeView, Outlook, RunCounts, Timings
from tickerq_dashboard.reading.ends import Ends, ends_of
from tickerq_dashboard.reading.failures import Failures, failures_of
from tickerq_dashboard.reading.reader import Reader, or_none
from tickerq_dashboard.reading.windows import WindowChoice

NEXT_SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The values of the overview; what is None was too much to read."""

    window: WindowChoice
    since: datetime
    counts: RunCounts | None
    ends: Ends | None
    lag: Timings | None
    failures: tuple[Failures, ...] | None
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


def read_overview(reader: Reader, window: WindowChoice) -> Overview:
    """Return the overview of a window, read once for all who look at it."""
    return reader.cached(("overview", window.slug), lambda: _read(reader, window), fresh=2.0)


def _read(reader: Reader, window: WindowChoice) -> Overview:
    tickerq, uncounted = reader.tickerq, reader.uncounted()
    now = reader.now() if uncounted is None else uncounted.at
    since, step = window.since(now), window.step
    # What matters most comes first: each has a part of the time that is left.
    counts = or_none(tickerq.runs.counts)
    ends = or_none(lambda: ends_of(reader, window, now, uncounted))
    lag = or_none(lambda: tickerq.stats.lag(since=since, step=step, uncounted=uncounted))
    return Overview(
        window=window,
        since=since,
        counts=counts,
        ends=ends,
        lag=lag,
        failures=or_none(lambda: failures_of(reader, window, now, uncounted)),
        upcoming=or_none(lambda: tickerq.outlook.upcoming(limit=NEXT_SHOWN)),
        nodes=or_none(reader.nodes) or (),
    )
