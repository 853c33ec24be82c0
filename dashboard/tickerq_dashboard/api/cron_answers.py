"""Cron tickers and their coming instants, as JSON."""

from datetime import date
from uuid import UUID

from tickerq_dashboard.api.fields import Answer, ListAnswer, Moment, Seconds, Status, Word


class CronItem(Answer):
    """A cron ticker as lists have it; ``every`` is set where it fires by an interval."""

    id: UUID
    namespace: str
    kind: Word
    function: str
    description: str | None
    expression: str
    every: Seconds | None
    time_zone: str
    start_at: Moment | None
    end_at: Moment | None
    max_runs: int | None
    run_count: int
    is_enabled: bool
    paused_reason: str | None
    paused_by: str | None
    paused_at: Moment | None
    is_seeded: bool
    seed_expression: str | None
    misfire: Word
    overlap: Word
    retries: int
    priority: Word
    queue: str | None
    concurrency_key: str | None
    tags: tuple[str, ...]
    next_run_at: Moment | None
    last_run_at: Moment | None
    created_at: Moment
    updated_at: Moment
    version: str


class CronList(ListAnswer):
    """Part of a list of cron tickers."""

    items: tuple[CronItem, ...]


class CronAnswer(CronItem):
    """A cron ticker with its policies."""

    on_lost: Word | None
    day_or: bool
    exclude: tuple[date, ...]
    jitter: Seconds
    resume_from: Moment | None
    resumed_at: Moment | None
    resumed_by: str | None
    resumed_reason: str | None
    misfire_limit: int
    misfire_grace: Seconds | None
    pause_on_failure: int | None
    retry_intervals: tuple[Seconds, ...]
    timeout: Seconds | None
    hard_timeout: Seconds | None


class InstantList(Answer):
    """The next instants of a cron ticker."""

    items: tuple[Moment, ...]


class BackfillAnswer(Answer):
    """The runs that a backfill has stored, the first 1,000 of them."""

    run_ids: tuple[UUID, ...]


class OutcomeAnswer(Answer):
    """How one occurrence ended; ``instant`` is null of a manual run."""

    run_id: UUID
    status: Status
    outcome_known: bool
    instant: Moment | None
    started_at: Moment | None
    ended_at: Moment
    elapsed: Seconds | None


class CronFiguresAnswer(Answer):
    """How a cron ticker has done lately: up to 20 ends of its instants, the newest last."""

    cron_ticker_id: UUID
    next_run_at: Moment | None
    outcomes: tuple[OutcomeAnswer, ...]
    last_manual: OutcomeAnswer | None
    published: int
    success_share: float | None
    mean_duration: Seconds | None
