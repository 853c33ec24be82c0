"""Rows of the store as the frozen views that users get, and pages of them."""

from collections.abc import Iterable
from dataclasses import fields
from operator import call, itemgetter
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, case, func, select

from tickerq_celery.errors import TickerValidationError
from tickerq_celery.payload.codec import Packed, RequestCodec, StoredRequest
from tickerq_celery.store.reading.row_mapping import READERS, read_fields
from tickerq_celery.store.tables import attempts, cron_tickers, progress, tickers
from tickerq_celery.tickers.claims import shown_hold_key
from tickerq_celery.tickers.construction import constructor
from tickerq_celery.tickers.views import Attempt, Cron, LogLine, Run, shown_task_id
from tickerq_celery.validation import whole

_NOT_SHOWN = {
    "check_at", "publish_count", "active_key", "retried_at", "result", "alone_for", "progress",
    "progress_message",
}  # fmt: skip
MOST_ROWS = 1_000
ATTEMPT_COLUMNS, CRON_COLUMNS = tuple(attempts.c), tuple(cron_tickers.c)
_OF_ATTEMPT = [each.name for each in fields(Attempt)]
_OF_CRON = [each.name for each in fields(Cron) if each.name in cron_tickers.c]


def _live(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return (
        select(column)
        .where(progress.c.ticker_id == tickers.c.id, progress.c.claim_no == tickers.c.claim_no)
        .scalar_subquery()
    )


# What the end of an attempt has written, else what its function has reported so far.
PROGRESS = (
    func.coalesce(tickers.c.progress, _live(progress.c.fraction)).label("progress"),
    case((tickers.c.progress.is_(None), _live(progress.c.message)), else_=tickers.c.progress_message).label(
        "progress_message"
    ),
)
RUN_COLUMNS = (*(column for column in tickers.c if column.name not in _NOT_SHOWN), *PROGRESS)
# The fields of a run that are no columns, or hold what a column does not.
_OWN_OF_RUN = (
    "task_id", "cancel_requested", "next_attempt_at", "hold_key", "stored_request", "attempts", "logs",
)  # fmt: skip
_MADE_OF = ("id", "task_id", "cancel_request", "due_at", "hold_key", "request", "encoding")
_READ_OF_RUN = ("kind", "type", "on_lost", "held_for", "origin", "run_condition", "priority", "tags")
_SAME_OF_RUN = [each.name for each in fields(Run) if each.name not in {*_OWN_OF_RUN, *_READ_OF_RUN}]
_INDEXES_OF_RUN = {column.name: index for index, column in enumerate(RUN_COLUMNS)}
_same_of_run, _read_of_run, _made_of = (
    itemgetter(*(_INDEXES_OF_RUN[name] for name in names)) for names in (_SAME_OF_RUN, _READ_OF_RUN, _MADE_OF)
)
_READERS_OF_RUN = [READERS[name] for name in _READ_OF_RUN]
_made_run = constructor(Run, [*_SAME_OF_RUN, *_READ_OF_RUN, *_OWN_OF_RUN])


def run_view(
    row: Row[Any],
    codec: RequestCodec,
    attempt_rows: Iterable[Row[Any]] = (),
    log_lines: Iterable[LogLine] = (),
) -> Run:
    """Return the view of a row that begins with ``RUN_COLUMNS``."""
    id_, task_id, cancel_request, due_at, hold_key, request, encoding = _made_of(row)
    kind, *read = map(call, _READERS_OF_RUN, _read_of_run(row))
    return _made_run(
        *_same_of_run(row),
        kind,
        *read,
        shown_task_id(id_, kind, task_id),
        cancel_request is not None,
        due_at,
        shown_hold_key(hold_key),
        StoredRequest(Packed(request, encoding), codec),
        tuple(map(attempt_view, attempt_rows)),
        tuple(log_lines),
    )


def attempt_view(row: Row[Any]) -> Attempt:
    """Return the view of a row of the attempts table."""
    return Attempt(**read_fields(row, _OF_ATTEMPT))


def cron_view(row: Row[Any], codec: RequestCodec) -> Cron:
    """Return the view of a row of ``CRON_COLUMNS``."""
    return Cron(
        **read_fields(row, _OF_CRON),
        is_seeded=row.seed_expression is not None,
        stored_request=StoredRequest(Packed(row.request, row.encoding), codec),
        chain=row.children,
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
