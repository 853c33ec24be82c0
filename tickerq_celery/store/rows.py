"""Rows of the store as the frozen views that users get, and pages of them."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from tickerq_celery.codec import Packed, RequestCodec, StoredRequest
from tickerq_celery.enums import (
    TERMINAL,
    HoldReason,
    MisfirePolicy,
    OverlapPolicy,
    RunCondition,
    TickerPriority,
    TickerStatus,
    TickerType,
)
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.models import attempts, cron_tickers, tickers
from tickerq_celery.views import Attempt, Cron, LogLine, Run

_NOT_SHOWN = {
    "hold_key", "check_at", "publish_count", "published_at", "active_key", "attempts_before", "has_children",
    "result",
}  # fmt: skip
RUN_COLUMNS = tuple(column for column in tickers.c if column.name not in _NOT_SHOWN)
CRON_COLUMNS = tuple(cron_tickers.c)
MOST_ROWS = 1_000


def run_view(
    row: Row[Any],
    codec: RequestCodec,
    attempt_rows: Iterable[Row[Any]] = (),
    log_lines: Iterable[LogLine] = (),
) -> Run:
    """Return the view of a row of ``RUN_COLUMNS``."""
    status: TickerStatus = row.status
    return Run(
        id=row.id,
        namespace=row.namespace,
        type=TickerType(row.type),
        function=row.function,
        description=row.description,
        status=status,
        execution_time=row.execution_time,
        executed_at=row.ended_at if status in TERMINAL else None,
        elapsed_ms=row.elapsed_ms,
        retries=row.retries,
        retry_intervals=tuple(row.retry_intervals),
        retry_count=row.retry_count,
        rescue_count=row.rescue_count,
        is_due=row.is_due,
        next_attempt_at=row.due_at,
        held_for=None if row.held_for is None else HoldReason(row.held_for),
        exception_type=row.exception_type,
        exception_message=row.exception_message,
        skipped_reason=row.skipped_reason,
        lock_holder=row.lock_holder,
        parent_id=row.parent_id,
        run_condition=None if row.run_condition is None else RunCondition(row.run_condition),
        cron_ticker_id=row.cron_ticker_id,
        priority=TickerPriority(row.priority),
        queue=row.queue,
        concurrency_key=row.concurrency_key,
        tags=tuple(row.tags),
        unique_key=row.unique_key,
        stored_request=StoredRequest(Packed(row.request, row.encoding), codec),
        created_at=row.created_at,
        updated_at=row.updated_at,
        progress=row.progress,
        progress_message=row.progress_message,
        attempts=tuple(attempt_view(each) for each in attempt_rows),
        logs=tuple(log_lines),
    )


def attempt_view(row: Row[Any]) -> Attempt:
    """Return the view of a row of the attempts table."""
    return Attempt(
        number=row.number,
        claim_no=row.claim_no,
        status=row.status,
        started_at=row.started_at,
        finished_at=row.finished_at,
        exception_type=row.exception_type,
        exception_message=row.exception_message,
        traceback=row.traceback,
        node=row.node,
    )


ATTEMPT_COLUMNS = tuple(attempts.c)


def cron_view(row: Row[Any], codec: RequestCodec) -> Cron:
    """Return the view of a row of ``CRON_COLUMNS``."""
    return Cron(
        id=row.id,
        namespace=row.namespace,
        function=row.function,
        description=row.description,
        expression=row.expression,
        time_zone=row.time_zone,
        day_or=row.day_or,
        is_enabled=row.is_enabled,
        paused_reason=row.paused_reason,
        paused_by=row.paused_by,
        paused_at=row.paused_at,
        is_seeded=row.seed_key is not None,
        seed_expression=row.seed_expression,
        misfire=MisfirePolicy(row.misfire),
        misfire_limit=row.misfire_limit,
        misfire_grace=row.misfire_grace,
        overlap=OverlapPolicy(row.overlap),
        retries=row.retries,
        retry_intervals=tuple(row.retry_intervals),
        priority=TickerPriority(row.priority),
        queue=row.queue,
        concurrency_key=row.concurrency_key,
        tags=tuple(row.tags),
        next_run_at=row.next_run_at,
        last_run_at=row.last_run_at,
        stored_request=StoredRequest(Packed(row.request, row.encoding), codec),
        chain=row.children,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def page_size(limit: object) -> int:
    """Return how many rows a page holds: 1 to 1,000."""
    if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= MOST_ROWS:
        raise TickerValidationError("limit", limit, f"pass a whole number from 1 to {MOST_ROWS}")
    return limit


def cursor_id(cursor: object) -> UUID | None:
    """Return the id that a page's ``next_cursor`` stands for."""
    if cursor is None:
        return None
    try:
        return UUID(str(cursor))
    except ValueError as error:
        raise TickerValidationError("cursor", cursor, "pass the next_cursor of a page") from error
