"""Runs as JSON: in lists, and with their options."""

from typing import Self
from uuid import UUID

from tickerq_celery import Run
from tickerq_celery.views import RunSummary
from tickerq_dashboard.api.fields import (
    Answer,
    ListAnswer,
    Moment,
    RunType,
    Seconds,
    Status,
    Word,
)


class RunItem(Answer):
    """A run as lists have it; texts of errors are null for those who may not see payloads."""

    id: UUID
    namespace: str
    type: RunType
    kind: Word
    function: str
    description: str | None
    status: Status
    is_published: bool
    execution_time: Moment | None
    next_attempt_at: Moment | None
    published_at: Moment | None
    started_at: Moment | None
    ended_at: Moment | None
    elapsed: Seconds | None
    retries: int
    retry_count: int
    rescue_count: int
    attempts_before: int
    executions: int
    is_late: bool
    cancel_requested: bool
    held_for: Word | None
    hold_key: str | None
    held_since: Moment | None
    exception_type: str | None
    node: str | None
    origin: Word
    created_by: str | None
    cloned_from: UUID | None
    root_id: UUID | None
    parent_id: UUID | None
    cron_ticker_id: UUID | None
    has_children: bool
    priority: Word
    queue: str | None
    concurrency_key: str | None
    tags: tuple[str, ...]
    unique_key: str | None
    created_at: Moment
    updated_at: Moment
    progress: float | None
    progress_message: str | None
    version: str
    error_head: str | None = None
    skipped_head: str | None = None

    @classmethod
    def seen(cls, run: RunSummary, *, may_see: bool) -> Self:
        """Return a run as one sees it who may see payloads, or may not."""
        found = cls.model_validate(run)
        return found if may_see else found.model_copy(update={"error_head": None})


class RunList(ListAnswer):
    """Part of a list of runs."""

    items: tuple[RunItem, ...]


class RunAnswer(RunItem):
    """A run with its options; attempts, log, payload and explanation have addresses of their own."""

    task_id: str | None
    on_lost: Word | None
    retry_intervals: tuple[Seconds, ...]
    timeout: Seconds | None
    hard_timeout: Seconds | None
    exception_message: str | None
    skipped_reason: str | None
    locked_at: Moment | None
    run_condition: Word | None

    @classmethod
    def whole(cls, run: Run, *, may_see: bool) -> Self:
        """Return a run as one sees it who may see payloads, or may not."""
        found = cls.model_validate(run)
        return found if may_see else found.model_copy(update={"exception_message": None})
