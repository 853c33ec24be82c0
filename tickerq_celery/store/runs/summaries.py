"""Runs as lists show them: what is long is left in the store, or cut there."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, func, select

from tickerq_celery.enums import TickerType
from tickerq_celery.store.database.batches import in_parts
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.reading.row_mapping import read_fields
from tickerq_celery.store.reading.views import PROGRESS
from tickerq_celery.store.tables import tickers
from tickerq_celery.tickers.claims import shown_hold_key
from tickerq_celery.tickers.summaries import RunSummary

# How much of a text a list shows.
_HEAD = 200
_DIGITS = 32


def _head(column: ColumnElement[Any], name: str) -> ColumnElement[Any]:
    return func.substr(column, 1, _HEAD).label(name)


_MADE_HERE = {
    "next_attempt_at", "cancel_requested", "error_head", "skipped_head", "progress", "progress_message",
}  # fmt: skip
_FIELDS = tuple(each.name for each in fields(RunSummary))
SUMMARY_COLUMNS = (
    *(tickers.c[name] for name in _FIELDS if name not in _MADE_HERE),
    tickers.c.due_at.label("next_attempt_at"),
    tickers.c.cancel_request.is_not(None).label("cancel_requested"),
    _head(tickers.c.exception_message, "error_head"),
    _head(tickers.c.skipped_reason, "skipped_head"),
    *PROGRESS,
)


def by_id_prefix(tx: Transaction, prefix: str, *, type: TickerType | None, limit: int) -> list[RunSummary]:
    """Return the runs of a type, or of any, whose ids begin with these hexadecimal digits, by their ids."""
    first, last = (UUID(hex=prefix.ljust(_DIGITS, digit)) for digit in "0f")
    within = [tickers.c.id >= first, tickers.c.id <= last, tickers.c.namespace == tx.namespace]
    if type is not None:
        within.append(tickers.c.type == int(type))
    found = select(*SUMMARY_COLUMNS).where(*within).order_by(tickers.c.id).limit(limit)
    return [run_summary(row) for row in tx.execute(found)]


def error_heads(tx: Transaction, ids: Sequence[UUID]) -> Mapping[UUID, str]:
    """Return the beginning of the errors of runs, of those that are there and have one."""
    columns = (tickers.c.id, _head(tickers.c.exception_message, "error_head"))
    having = tickers.c.exception_message.is_not(None)
    wanted = select(*columns).where(having, tickers.c.namespace == tx.namespace)
    rows = in_parts(ids, lambda part: tx.execute(wanted.where(tickers.c.id.in_(part))).all())
    return {row.id: row.error_head for row in rows}


def run_summary(row: Row[Any]) -> RunSummary:
    """Return the view of a row of ``SUMMARY_COLUMNS``."""
    return RunSummary(**read_fields(row, _FIELDS) | {"hold_key": shown_hold_key(row.hold_key)})
