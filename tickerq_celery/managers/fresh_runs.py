"""Runs as their callers get them that were stored just now: nothing is read back."""

from dataclasses import MISSING, fields
from typing import Any

from tickerq_celery.payload.codec import Packed, RequestCodec, StoredRequest
from tickerq_celery.tickers.run_rows import RunRow
from tickerq_celery.tickers.views import Run, shown_task_id

_RUN_FIELDS = {field.name for field in fields(RunRow)}


def fresh_run(row: RunRow, codec: RequestCodec) -> Run:
    """Return the view of a row that this transaction has just stored."""
    needed = (field.name for field in fields(Run) if field.default is MISSING)
    fresh: dict[str, Any] = dict.fromkeys(needed)
    stored = {name: getattr(row, name) for name in fresh.keys() & _RUN_FIELDS}
    return Run(
        **fresh
        | stored
        | {
            "task_id": shown_task_id(row.id, row.kind, row.task_id),
            "cancel_requested": False,
            "next_attempt_at": row.due_at,
            "stored_request": StoredRequest(Packed(row.request, row.encoding), codec),
        }
    )
