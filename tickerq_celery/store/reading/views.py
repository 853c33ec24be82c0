"""Rows of the store as the frozen views that users get, and pages of them."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from enum import Enum
from operator import itemgetter
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Row, case, func, select

from tickerq_celery.enums import (
    HoldReason,
    MisfirePolicy,
    OnLost,
    Origin,
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
from tickerq_celery.tickers.construction import constructor
from tickerq_celery.tickers.views import Attempt, Cron, LogLine, Run, shown_task_id
from tickerq_celery.validation import whole

E = TypeVar("E", bound=Enum)
_NOT_SHOWN = {
    "check_at", "publish_count", "active_key", "retried_at", "result", "alone_for", "progress",
    "progress_message",
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
PROGRESS = (
    func.coalesce(tickers.c.progress, _live(progress.c.fraction)).label("progress"),
    case((tickers.c.progress.is_(None), _live(progress.c.message)), else_=tickers.c.progress_message).label(
        "progress_message"
    ),
)
RUN_COLUMNS = (*(column for column in tickers.c if column.name not in _NOT_SHOWN), *PROGRESS)


class _Members(dict[object, E]):
    """The members of an enum by their values; a value that is none's is the enum's own error."""

    def __init__(self, kind: type[E]) -> None:
        super().__init__((each.value, each) for each in kind)
        self._kind = kind

    def __missing__(self, value: object) -> E:
        return self._kind(value)


_TYPES, KINDS, _PRIORITIES = _Members(TickerType), _Members(TickerKind), _Members(TickerPriority)
ORIGINS, _HOLDS = _Members(Origin), _Members(HoldReason)
# The fields of a run that are no columns, or hold what a column does not.
_OWN_OF_RUN = (
    "type", "kind", "task_id", "on_lost", "cancel_requested", "next_attempt_at", "held_for", "origin",
    "run_condition", "priority", "tags", "stored_request", "attempts", "logs",
)  # fmt: skip
_READ_OF_RUN = (
    "id", "type", "kind", "task_id", "on_lost", "cancel_request", "due_at", "held_for", "origin",
    "run_condition", "priority", "tags", "request", "encoding",
)  # fmt: skip
_INDEXES_OF_RUN = {column.name: index for index, column in enumerate(RUN_COLUMNS)}
_SAME_OF_RUN = [each.name for each in fields(Run) if each.name not in _OWN_OF_RUN]
_same_of_run = itemgetter(*(_INDEXES_OF_RUN[name] for name in _SAME_OF_RUN))
_read_of_run = itemgetter(*(_INDEXES_OF_RUN[name] for name in _READ_OF_RUN))
_made_run = constructor(Run, [*_SAME_OF_RUN, *_OWN_OF_RUN])


def run_view(
    row: Row[Any],
    codec: RequestCodec,
    attempt_rows: Iterable[Row[Any]] = (),
    log_lines: Iterable[LogLine] = (),
) -> Run:
    """Return the view of a row that begins with ``RUN_COLUMNS``."""
    (id_, type_, kind, task_id, on_lost, cancel_request, due_at, held_for, origin, condition, priority,
     tags, request, encoding) = _read_of_run(row)  # fmt: skip
    kind = KINDS[kind]
    return _made_run(
        *_same_of_run(row),
        _TYPES[type_],
        kind,
        shown_task_id(id_, kind, task_id),
        None if on_lost is None else OnLost(on_lost),
        cancel_request is not None,
        due_at,
        None if held_for is None else _HOLDS[held_for],
        ORIGINS[origin],
        None if condition is None else RunCondition(condition),
        _PRIORITIES[priority],
        tuple(tags),
        StoredRequest(Packed(request, encoding), codec),
        tuple(map(attempt_view, attempt_rows)),
        tuple(log_lines),
    )


def attempt_view(row: Row[Any]) -> Attempt:
    """Return the view of a row of the attempts table."""
    return Attempt(**_OF_ATTEMPT.of(row))


def cron_view(row: Row[Any], codec: RequestCodec) -> Cron:
    """Return the view of a row of ``CRON_COLUMNS``."""
    return Cron(
        **_OF_CRON.of(row)
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


class _Shared:
    """The fields of a view that are columns of the same name, of rows that begin with some columns."""

    def __init__(self, view: type[Cron | Attempt], columns: Sequence[ColumnElement[Any]]) -> None:
        indexes = {column.name: index for index, column in enumerate(columns)}
        self._names = [field.name for field in fields(view) if field.name in indexes]
        self._values = itemgetter(*(indexes[name] for name in self._names))

    def of(self, row: Row[Any]) -> dict[str, Any]:
        """Return those fields with their values."""
        return dict(zip(self._names, self._values(row), strict=True))


_OF_CRON = _Shared(Cron, CRON_COLUMNS)
_OF_ATTEMPT = _Shared(Attempt, ATTEMPT_COLUMNS)
