"""Figures, charts, errors and what is to come, as JSON."""

from uuid import UUID

from tickerq_dashboard.api.fields import Answer, Moment, Seconds, Word


class Counted(Answer):
    """A number that was counted to a bound and no further: then there are so many ``or_more``."""

    number: int
    or_more: bool


class EndCountsAnswer(Answer):
    """How many runs ended, by how."""

    done: int
    due_done: int
    failed: int
    cancelled: int
    skipped: int
    published: int
    late: int
    retried: int


class TimingAnswer(Answer):
    """How long something took; percentiles within about 20 %."""

    count: int
    mean: Seconds | None
    p50: Seconds | None
    p95: Seconds | None
    p99: Seconds | None
    longest: Seconds | None


class FiguresAnswer(Answer):
    """The window of whole hours that figures are of; ``is_complete`` is false where ends are missing."""

    since: Moment
    until: Moment
    is_complete: bool


class ThroughputPointAnswer(Answer):
    """What ended in one step that begins ``at``."""

    at: Moment
    counts: EndCountsAnswer


class ThroughputAnswer(FiguresAnswer):
    """How many runs ended, in all and by ``step``."""

    function: str | None
    step: Seconds
    total: EndCountsAnswer
    points: tuple[ThroughputPointAnswer, ...]


class TimingPointAnswer(Answer):
    """How long it took in one step that begins ``at``."""

    at: Moment
    summary: TimingAnswer


class DurationBucketAnswer(Answer):
    """How many durations are longer than ``above``, and not longer than ``up_to``."""

    above: Seconds
    up_to: Seconds
    count: int


class TimingsAnswer(FiguresAnswer):
    """How long runs took, or waited, in all and by ``step``."""

    function: str | None
    step: Seconds
    total: TimingAnswer
    points: tuple[TimingPointAnswer, ...]
    buckets: tuple[DurationBucketAnswer, ...]


class ErrorGroupAnswer(Answer):
    """Failures of a function with the same type of exception; the sample is the run that failed last."""

    function: str
    error_type: str | None
    count: int
    first_seen: Moment
    last_seen: Moment
    sample_id: UUID | None
    sample_head: str | None


class ErrorsAnswer(FiguresAnswer):
    """Failures by function and type of exception, those that were seen last first."""

    groups: tuple[ErrorGroupAnswer, ...]


class OutlookItemAnswer(Answer):
    """A run that is stored, an instant at which a cron ticker will make one, or a band of many of these.

    A band has ``starts`` from ``moment`` to ``last``, where that is known, and ``every`` lies between them.
    """

    moment: Moment
    run_id: UUID | None
    cron_ticker_id: UUID | None
    kind: Word
    function: str
    description: str | None
    delay: Seconds
    is_held: bool
    is_skipped: bool
    is_computed: bool
    note: str | None
    starts: int
    every: Seconds | None
    last: Moment | None


class OutlookAnswer(Answer):
    """What is to come before ``until``; all that lies before ``complete_until`` is in it."""

    since: Moment | None
    until: Moment
    complete_until: Moment
    truncated: Word | None
    leaves_out_held: bool
    items: tuple[OutlookItemAnswer, ...]


class PulseAnswer(Answer):
    """How it is: what is active, how long the first of what is due has been so, and the worst finding."""

    at: Moment
    in_progress: Counted
    queued: Counted
    published: Counted
    due: Counted
    due_since: Moment | None
    scheduled: Counted
    held: dict[str, Counted]
    due_crons: Counted
    due_crons_since: Moment | None
    lag: Seconds
    severity: Word
    problems: tuple[str, ...]
