"""Cron tickers and their coming instants, as JSON."""

from datetime import date
from typing import Self
from uuid import UUID

from tickerq_celery import Cron
from tickerq_celery.errors import UnreadableRequestError
from tickerq_dashboard.api.fields import Answer, Json, ListAnswer, Moment, Seconds, Status, Word, all_of
from tickerq_dashboard.api.run_reports import PayloadAnswer


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


class ChildAnswer(Answer):
    """A ticker of the chain that each run of a cron ticker gets a copy of, with those below it."""

    function: str | None
    task: str | None
    request: Json
    args: Json
    kwargs: Json
    options: Json
    on_lost: Word | None
    description: str | None
    retries: int | None
    retry_intervals: tuple[Seconds, ...] | None
    timeout: Seconds | None
    hard_timeout: Seconds | None
    priority: Word | None
    queue: str | None
    concurrency_key: str | None
    tags: tuple[str, ...]
    run_condition: Word | None
    children: "tuple[ChildAnswer, ...]"


class CronPayloadAnswer(PayloadAnswer):
    """What the runs of a cron ticker are given, and the chain of each: empty where it is not readable."""

    children: tuple[ChildAnswer, ...]

    @classmethod
    def whole(cls, cron: Cron, payload: PayloadAnswer) -> Self:
        """Return both, the secrets of the chain masked like those of the payload."""
        try:
            chain = [each.model_dump(mode="json") for each in all_of(ChildAnswer, cron.children)]
        except UnreadableRequestError:
            chain = []
        return cls.model_validate({**dict(payload), "children": cron.stored_request.codec.shown(chain)})


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
