"""What one soak leaves behind, each trace a value: of what was added, of bodies, rows, blows."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from tickerq_celery.enums import HoldReason, MisfirePolicy, OverlapPolicy, RunCondition, TickerStatus
from tickerq_celery.tickers.lifecycle import LOST


class Certainty(StrEnum):
    """What the producer knows of a ticker that it added."""

    COMMITTED = "committed"
    ROLLED_BACK = "rolled back"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """A one-off ticker; ``serial`` is the producer's name for it, ``ticker_id`` None where none came back.

    Its body was asked to fail in the first ``fails`` attempts that a worker lets it end. A child ``follows``
    the serial of its parent.
    """

    serial: int
    ticker_id: UUID | None
    certainty: Certainty
    due: datetime
    fails: int = 0
    retries: int = 0
    follows: int | None = None
    condition: RunCondition | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The line of a body that began."""

    ticker_id: UUID
    claim_no: int
    pid: int
    at: datetime
    function: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The line of a body that was about to return, or to fail by plan."""

    ticker_id: UUID
    claim_no: int
    pid: int
    at: datetime
    has_failed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """A run as the store holds it; ``serial`` is None for a cron ticker's occurrence."""

    id: UUID
    serial: int | None
    function: str
    status: TickerStatus
    claim_no: int
    retry_count: int
    rescue_count: int
    held_for: HoldReason | None = None
    skipped_reason: str | None = None
    parent_id: UUID | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRow:
    """An attempt as the store holds it."""

    ticker_id: UUID
    claim_no: int
    number: int
    status: TickerStatus
    started_at: datetime
    ended_at: datetime
    exception_type: str | None = None

    @property
    def is_rescue(self) -> bool:
        """Whether others ended it, since its worker had died."""
        return self.exception_type == LOST


@dataclass(frozen=True, slots=True, kw_only=True)
class CronSpan:
    """A cron ticker that fires every ``step``: all instants from ``first`` and before ``until`` are due."""

    cron_id: UUID
    first: datetime
    until: datetime
    step: timedelta
    misfire: MisfirePolicy = MisfirePolicy.RUN_ONCE
    misfire_limit: int = 100
    overlap: OverlapPolicy = OverlapPolicy.ALLOW

    def instants(self) -> list[datetime]:
        """Return the instants that must be accounted for."""
        count = -((self.first - self.until) // self.step)
        return [self.first + n * self.step for n in range(max(0, count))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """A run that a cron ticker made for one instant, executed or skipped for a reason of its own."""

    run_id: UUID
    cron_id: UUID
    instant: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SkipRecord:
    """The record of instants that passed while nothing could run them."""

    run_id: UUID
    cron_id: UUID
    first: datetime
    last: datetime
    count: int
    count_is_exact: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Blow:
    """A fault, and the processes that it hit: with a worker's main process, its children too."""

    kind: str
    at: datetime
    pids: frozenset[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calm:
    """The end of the faults, by the store's clock, and how long a run may be stalled from then on."""

    since: datetime
    longest_wait: timedelta
