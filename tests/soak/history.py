"""What one soak left behind, as values: what was added, what the bodies noted, what the store holds."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from uuid import UUID

from tickerq_celery.enums import HoldReason, TickerStatus
from tickerq_celery.lifecycle import LOST


class Certainty(StrEnum):
    """What the producer knows of a ticker that it added."""

    COMMITTED = "committed"
    ROLLED_BACK = "rolled back"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """A one-off ticker; ``serial`` is the producer's name for it, ``ticker_id`` None where none came back.

    Its body was told to fail in the first ``fails`` attempts that a worker lets it end.
    """

    serial: int
    ticker_id: UUID | None
    certainty: Certainty
    due: datetime
    fails: int = 0
    retries: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The line of a body that began."""

    ticker_id: UUID
    claim_no: int
    pid: int
    at: datetime
    monotonic: float
    function: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The line of a body that was about to return, or to fail by plan."""

    ticker_id: UUID
    claim_no: int
    pid: int
    at: datetime
    monotonic: float
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
    created_at: datetime
    held_for: HoldReason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRow:
    """An attempt as the store holds it."""

    ticker_id: UUID
    claim_no: int
    number: int
    status: TickerStatus
    started_at: datetime
    finished_at: datetime
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

    def covers(self, instant: datetime) -> bool:
        """Whether the record gives the reason for this instant."""
        return self.first <= instant <= self.last


@dataclass(frozen=True, slots=True, kw_only=True)
class Blow:
    """A fault, and the processes that it hit: with a worker's main process, its children too."""

    kind: str
    at: datetime
    pids: frozenset[int]


@dataclass(frozen=True, kw_only=True)
class History:
    """All of it; ``limits`` maps a function to how many of its bodies may run at once."""

    added: tuple[Added, ...] = ()
    started: tuple[Started, ...] = ()
    ended: tuple[Ended, ...] = ()
    runs: tuple[RunRow, ...] = ()
    attempts: tuple[AttemptRow, ...] = ()
    crons: tuple[CronSpan, ...] = ()
    occurrences: tuple[Occurrence, ...] = ()
    skips: tuple[SkipRecord, ...] = ()
    blows: tuple[Blow, ...] = ()
    limits: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def run_of(self) -> Mapping[UUID, RunRow]:
        """The runs by their id."""
        return {run.id: run for run in self.runs}

    @cached_property
    def added_of(self) -> Mapping[int, Added]:
        """What was added, by serial."""
        return {each.serial: each for each in self.added}

    @cached_property
    def attempts_of(self) -> Mapping[UUID, tuple[AttemptRow, ...]]:
        """The attempts of each run, by claim number."""
        found: dict[UUID, list[AttemptRow]] = defaultdict(list)
        for attempt in sorted(self.attempts, key=lambda each: each.claim_no):
            found[attempt.ticker_id].append(attempt)
        return {run_id: tuple(attempts) for run_id, attempts in found.items()}

    @cached_property
    def starts_of(self) -> Mapping[UUID, tuple[Started, ...]]:
        """The starts of each run, by claim number."""
        found: dict[UUID, list[Started]] = defaultdict(list)
        for start in sorted(self.started, key=lambda each: each.claim_no):
            found[start.ticker_id].append(start)
        return {run_id: tuple(starts) for run_id, starts in found.items()}

    @cached_property
    def ends_of(self) -> Mapping[tuple[UUID, int], tuple[Ended, ...]]:
        """The ends of each claim's body."""
        found: dict[tuple[UUID, int], list[Ended]] = defaultdict(list)
        for end in self.ended:
            found[end.ticker_id, end.claim_no].append(end)
        return {claim: tuple(ends) for claim, ends in found.items()}

    @cached_property
    def attempt_of(self) -> Mapping[tuple[UUID, int], AttemptRow]:
        """The attempt of each claim that has one."""
        return {(each.ticker_id, each.claim_no): each for each in self.attempts}
