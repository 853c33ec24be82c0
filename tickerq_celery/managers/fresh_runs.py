"""Runs as their callers get them that were stored just now: nothing is read back."""

from dataclasses import MISSING, fields
from operator import attrgetter

from tickerq_celery.payload.codec import Packed, RequestCodec, StoredRequest
from tickerq_celery.tickers.construction import constructor
from tickerq_celery.tickers.run_rows import RunRow
from tickerq_celery.tickers.views import Run, shown_task_id

_OWN = ("task_id", "cancel_requested", "next_attempt_at", "stored_request")
_STORED = {each.name for each in fields(Run)} & {each.name for each in fields(RunRow)} - {*_OWN}
# Of a run that was never claimed, all that its row does not hold is unset.
_UNSET = {
    each.name: None if each.default is MISSING else each.default
    for each in fields(Run)
    if each.name not in {*_STORED, *_OWN}
}
_UNSET_VALUES = tuple(_UNSET.values())
_made = constructor(Run, [*_STORED, *_UNSET, *_OWN])
_values_of = attrgetter(*_STORED)


def fresh_run(row: RunRow, codec: RequestCodec) -> Run:
    """Return the view of a row that this transaction has just stored."""
    stored_request = StoredRequest(Packed(row.request, row.encoding), codec)
    task_id = shown_task_id(row.id, row.kind, row.task_id)
    return _made(*_values_of(row), *_UNSET_VALUES, task_id, False, row.due_at, stored_request)
