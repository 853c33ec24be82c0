"""Rows of the store as the frozen views that users get, and pages of them."""

from collections.abc import Iterable
from dataclasses import fields
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, case, func, select

from tickerq_celery.enums import (
    HoldReason,
    MisfirePolicy,
    OnLost,
    OverlapPolicy,
    RunCondition,
    TickerKind,
    TickerPriority,
    TickerType,
)
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.payload.codec import Packed, RequestCodec, StoredRequest
from tickerq_celery.schedule.bounds import dates_from
from tickerq_celery.store.tables import attempts, cron_tickers, progress, tickers
from tickerq_celery.tickers.views import Attempt, Cron, LogLine, Run, shown_task_id
from tickerq_celery.validation import whole

_NOT_SHOWN = {
    "hold_key", "check_at", "publish_count", "active_key", "attempts_before", "has_children",
    "executions", "result", "alone_for", "progress", "progress_message",
}  # fmt: skip
CRON_COLUMNS = tuple(cron_tickers.c)
MOST_ROWS = 1_000
ATTEMPT_COLUMNS = tuple(attempts.c)


def _live(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return (
        select(column)
        .where(progress.c.ticker_id == tickers.c.id, progress.c.claim_no == tickers.c.claim_no)
        .scalar_subquery()
    )


# What the end of an attempt has written, else what its function has reported so far.
_PROGRESS = (
    func.coalesce(tickers.c.progress, _live(progress.c.fraction)).label("progress"),
    case((tickers.c.progress.is_(None), _live(progress.c.message)), else_=tickers.c.progress_message).label(
        "progress_message"
    ),
)
RUN_COLUMNS = (*(column for column in tickers.c if column.name not in _NOT_SHOWN), *_PROGRESS)


def run_view(
    row: Row[Any],
    codec: RequestCodec,
    attempt_rows: Iterable[Row[Any]] = (),
    log_lines: Iterable[LogLine] = (),
) -> Run:
    """Return the view of a row of ``RUN_COLUMNS``."""
    return Run(
        **_shared(row, Run)
        | {
            "type": TickerType(row.type),
            "kind": TickerKind(row.kind),
            "task_id": _task_id(row),
            "on_lost": None if row.on_lost is None else OnLost(row.on_lost),
            "cancel_requested": row.cancel_request is not None,
            "next_attempt_at": row.due_at,
            "held_for": None if row.held_for is None else HoldReason(row.held_for),
            "run_condition": None if row.run_condition is None else RunCondition(row.run_condition),
            "priority": TickerPriority(row.priority),
            "tags": tuple(row.tags),
            "stored_request": StoredRequest(Packed(row.request, row.encoding), codec),
            "attempts": tuple(attempt_view(each) for each in attempt_rows),
            "logs": tuple(log_lines),
        }
    )


def _task_id(row: Row[Any]) -> str | None:
    return shown_task_id(row.id, TickerKind(row.kind), row.task_id)


def attempt_view(row: Row[Any]) -> Attempt:
    """Return the view of a row of the attempts table."""
    return Attempt(**_shared(row, Attempt))


def cron_view(row: Row[Any], codec: RequestCodec) -> Cron:
    """Return the view of a row of ``CRON_COLUMNS``."""
    return Cron(
        **_shared(row, Cron)
        | {
            "exclude": dates_from(row.exclude),
            "kind": TickerKind(row.kind),
            "on_lost": None if row.on_lost is None else OnLost(row.on_lost),
            "is_seeded": row.seed_expression is not None,
            "misfire": MisfirePolicy(row.misfire),
            "overlap": OverlapPolicy(row.overlap),
            "priority": TickerPriority(row.priority),
            "tags": tuple(row.tags),
            "stored_request": StoredRequest(Packed(row.request, row.encoding), codec),
            "chain": row.children,
        }
    )


def page_size(limit: object) -> int:
    """Return how many rows a page holds: 1 to 1,000."""
    return whole("limit", limit, 1, MOST_ROWS)


def cursor_id(cursor: object) -> UUID | None:
    """Return the id that a page's ``next_cursor`` stands for."""
    if cursor is None:
        return None
    try:
        return UUID(str(cursor))
    except ValueError as error:
        raise TickerValidationError("cursor", cursor, "pass the next_cursor of a page") from error


def _shared(row: Row[Any], view: type[Run | Cron | Attempt]) -> dict[str, Any]:
    """Return a view's fields that are columns of the same name."""
    values = row._asdict()
    return {field.name: values[field.name] for field in fields(view) if field.name in values}
