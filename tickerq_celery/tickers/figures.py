"""Figures of a window of time: the answers of ``tickerq.stats`` and ``tickerq.errors``."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The window that figures are of, and what they are made of; times are aware UTC.

    The window is of whole hours, or of half hours or minutes where the step is, from ``since`` up to
    ``until``. Ends before ``counted_until``, which is None
    where none is counted yet, come from the roll-up. The others are read from the runs themselves, the newest
    2,000 of the store: those from ``live_from`` on. Where ends in between are missing, ``is_complete`` is
    False.
    """

    since: datetime
    until: datetime
    counted_until: datetime | None
    live_from: datetime
    is_complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EndCounts:
    """How many runs ended, by how; a run that was retried manually ends once more.

    ``published`` are calls of Celery tasks of which no worker has reported anything: they are counted neither
    as ``done`` nor as ``due_done``. ``late`` and ``retried`` are among the others: runs that were claimed
    late, and runs that needed a retry.
    """

    done: int = 0
    due_done: int = 0
    failed: int = 0
    cancelled: int = 0
    skipped: int = 0
    published: int = 0
    late: int = 0
    retried: int = 0

    @property
    def ends(self) -> int:
        """All of them."""
        return self.succeeded + self.failed + self.cancelled + self.skipped + self.published

    @property
    def succeeded(self) -> int:
        """Those that are known to have succeeded, late or not."""
        return self.done + self.due_done

    @property
    def success_share(self) -> float | None:
        """How many of those that succeeded or failed succeeded, from 0 to 1; None where none did either."""
        known = self.succeeded + self.failed
        return self.succeeded / known if known else None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimingSummary:
    """How long something took: the count, mean and longest exactly; percentiles within about 20 %.

    All but the ``count`` are None where that is 0.
    """

    count: int
    mean: timedelta | None
    p50: timedelta | None
    p95: timedelta | None
    p99: timedelta | None
    longest: timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DurationBucket:
    """How many durations are longer than ``above``, and not longer than ``up_to``."""

    above: timedelta
    up_to: timedelta
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ThroughputPoint:
    """What ended in one step that begins ``at``."""

    at: datetime
    counts: EndCounts


@dataclass(frozen=True, slots=True, kw_only=True)
class Throughput(Figures):
    """How many runs ended, in all and by ``step``; there is a point for each step, also where none ended.

    ``function`` is the one that they are of, None of all.
    """

    function: str | None
    step: timedelta
    total: EndCounts
    points: tuple[ThroughputPoint, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimingPoint:
    """How long it took in one step that begins ``at``."""

    at: datetime
    summary: TimingSummary


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings(Figures):
    """How long runs took, or how long after its time a run started, in all and by ``step``.

    ``function`` is the one that they are of, None of all. ``buckets`` are the histogram of all of them, the
    shortest first, without those that are empty; each is √2 times as long as the one before.
    """

    function: str | None
    step: timedelta
    total: TimingSummary
    points: tuple[TimingPoint, ...]
    buckets: tuple[DurationBucket, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionFigures:
    """How the runs of one function ended; ``last_failed_at`` is when the last failure in the window was."""

    function: str
    counts: EndCounts
    durations: TimingSummary
    last_failed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TopFailing(Figures):
    """The functions with the most failures, those first."""

    functions: tuple[FunctionFigures, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorGroup:
    """Failures of a function with the same type of exception; the sample is the run that failed last.

    ``sample_head`` is the beginning of its error, 200 characters at most; None where the run is gone, or has
    no error any more since it was retried. ``counts`` are the failures in each step of the window, empty
    where no step was asked for.
    """

    function: str
    error_type: str | None
    count: int
    first_seen: datetime
    last_seen: datetime
    sample_id: UUID | None
    sample_head: str | None
    counts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorGroups(Figures):
    """Failures by function and type of exception, those that were seen last first.

    ``step`` is how long each of the ``counts`` of a group is, None where none was asked for.
    """

    groups: tuple[ErrorGroup, ...]
    step: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuiltHour:
    """An hour of the roll-up whose ends were counted anew: how many it said before, and says now."""

    hour: datetime
    ends_before: int
    ends: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuild:
    """What a rebuild came to, for a window of whole hours; ``changed`` are the hours that differ now."""

    since: datetime
    until: datetime
    hours: int
    ends: int
    changed: tuple[RebuiltHour, ...]
