"""The short views of runs and of cron tickers that lists are made of, and what every view of a run says."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from tickerq_celery.enums import (
    HoldReason,
    MisfirePolicy,
    Origin,
    OverlapPolicy,
    TickerKind,
    TickerPriority,
    TickerStatus,
    TickerType,
)
from tickerq_celery.schedule.interval import every_in
from tickerq_celery.schedule.sentence import sentence_of
from tickerq_celery.tickers import known_outcomes
from tickerq_celery.tickers.versions import stamp


@dataclass(frozen=True, slots=True, kw_only=True)
class RunState:
    """What every view of a run has, and what follows from that; times are aware UTC.

    ``origin`` is what made it, ``root_id`` the head of its chain, None where it has none. ``hold_key`` names
    what holds it: the function, the parent, the cron ticker, the pause, or a function with one of its
    concurrency keys, ``Send:eu``. ``ended_on`` is the node of its last
    attempt, once it has ended; ``running_on`` the id of the node that runs it, None unless it is in progress.
    ``attempts_before`` are those that it had when it was retried last; those of its retries and rescues since
    come on top. Of a Celery task workers report ``executions``.
    """

    id: UUID
    namespace: str
    type: TickerType
    kind: TickerKind
    function: str
    description: str | None
    status: TickerStatus
    execution_time: datetime | None
    next_attempt_at: datetime | None
    published_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    elapsed: timedelta | None
    retries: int
    retry_count: int
    rescue_count: int
    attempts_before: int
    executions: int
    is_late: bool
    cancel_requested: bool
    held_for: HoldReason | None
    hold_key: str | None
    held_since: datetime | None
    exception_type: str | None
    lock_holder: str | None
    ended_on: str | None
    claim_no: int
    origin: Origin
    created_by: str | None
    cloned_from: UUID | None
    root_id: UUID | None
    parent_id: UUID | None
    cron_ticker_id: UUID | None
    has_children: bool
    priority: TickerPriority
    queue: str | None
    concurrency_key: str | None
    tags: tuple[str, ...]
    unique_key: str | None
    created_at: datetime
    updated_at: datetime
    running_on: UUID | None = None
    progress: float | None = None
    progress_message: str | None = None

    @property
    def version(self) -> str:
        """Which version of the run this is, for ``expected=``; every change that people see changes it."""
        asked = "c" if self.cancel_requested else ""
        return f"{self.claim_no}.{int(self.status)}{asked}.{stamp(self.updated_at)}"

    @property
    def node(self) -> str | None:
        """The node that runs it, or that ran its last attempt; None of one that waits or never ran."""
        return self.lock_holder if self.status is TickerStatus.IN_PROGRESS else self.ended_on

    @property
    def outcome_known(self) -> bool:
        """Whether ``status`` says how it went; False where Done means "published".

        That is a call of one of the app's Celery tasks which was published, and which no worker reported.
        """
        return known_outcomes.outcome_known(self.kind, self.status, self.started_at)

    @property
    def is_published(self) -> bool:
        """Whether all that is known is that the broker has its message, so that it is shown as Published.

        That is a call of one of the app's Celery tasks which waits for a worker's report, or for Celery's
        retry of it, or which ended unreported.
        """
        return known_outcomes.is_published(
            self.kind, self.status, published_at=self.published_at, started_at=self.started_at
        )

    @property
    def status_word(self) -> str:
        """What people read of its status: its word, or Published where that is all that is known."""
        return known_outcomes.status_word(
            self.kind, self.status, published_at=self.published_at, started_at=self.started_at
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary(RunState):
    """A run as lists show it, without its request, its attempts and its log.

    ``error_head`` and ``skipped_head`` are the first 200 characters of an exception's text, and of why it was
    skipped.
    """

    error_head: str | None
    skipped_head: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CronSummary:
    """A cron ticker as lists show it, without its request and its chain; times are aware UTC.

    ``run_count`` is how many instants got their occurrence so far.
    """

    id: UUID
    namespace: str
    kind: TickerKind
    function: str
    description: str | None
    expression: str
    time_zone: str
    day_or: bool
    start_at: datetime | None
    end_at: datetime | None
    max_runs: int | None
    run_count: int
    is_enabled: bool
    paused_reason: str | None
    paused_by: str | None
    paused_at: datetime | None
    is_seeded: bool
    seed_expression: str | None
    misfire: MisfirePolicy
    overlap: OverlapPolicy
    retries: int
    priority: TickerPriority
    queue: str | None
    concurrency_key: str | None
    tags: tuple[str, ...]
    next_run_at: datetime | None
    last_run_at: datetime | None
    created_at: datetime
    updated_at: datetime

    @property
    def version(self) -> str:
        """Which version of the definition this is, for ``expected=``; a fire does not change it."""
        return stamp(self.updated_at)

    @property
    def every(self) -> timedelta | None:
        """The interval; None where it is a cron expression."""
        return every_in(self.expression)

    @property
    def words(self) -> str:
        """When it fires, as a sentence; its expression where that cannot be read."""
        return sentence_of(self.expression, day_or=self.day_or)
