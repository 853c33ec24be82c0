"""Read the ends of runs as the roll-up counts them, in the order of their ends and never more than asked."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, or_, select

from tickerq_celery.store.database.dialects import dialect_of
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.tables import tickers
from tickerq_celery.tickers.construction import constructor
from tickerq_celery.tickers.tallies import EndedRun
from tickerq_celery.tickers.uncounted_ends import EndPosition

_T = tickers.c
_INDEX = "ix_tickerq_tickers_ended_at"
# In the order of the columns.
_FIELDS = (
    "id", "namespace", "function", "type", "kind", "status", "error_type", "is_late", "retry_count",
    "rescue_count", "executions", "has_parent", "execution_time", "created_at", "retried_at", "started_at",
    "ended_at", "elapsed",
)  # fmt: skip
_COLUMNS = (
    _T.id, _T.namespace, _T.function, _T.type, _T.kind, _T.ended_status, _T.exception_type, _T.is_late,
    _T.retry_count, _T.rescue_count, _T.executions, _T.parent_id.is_not(None), _T.execution_time,
    _T.created_at, _T.retried_at, _T.started_at, _T.ended_at, _T.elapsed,
)  # fmt: skip
_ended = constructor(EndedRun, _FIELDS)


def between(
    tx: Transaction, after: EndPosition, before: datetime, *, limit: int, own: bool = False
) -> Sequence[EndedRun]:
    """Return the first ``limit`` runs that ended after a position and before a moment.

    They are of all namespaces of the store, or of the transaction's ``own``.
    """
    statement = _beyond(tx, after).where(_T.ended_at < before).order_by(_T.ended_at, _T.id)
    if own:
        statement = statement.where(_T.namespace == tx.namespace)
    return [_ended(*row) for row in tx.execute(statement.limit(limit))]


def newest(tx: Transaction, after: EndPosition, *, limit: int) -> Sequence[EndedRun]:
    """Return the last ``limit`` runs of the store that ended after a position, the last one first."""
    statement = _beyond(tx, after).order_by(_T.ended_at.desc(), _T.id.desc())
    return [_ended(*row) for row in tx.execute(statement.limit(limit))]


def _beyond(tx: Transaction, after: EndPosition) -> Select[Any]:
    is_later = or_(_T.ended_at > after.ended_at, _T.id > after.id)
    statement = select(*_COLUMNS).where(_T.ended_at >= after.ended_at, is_later)
    hint = dialect_of(tx.connection.dialect.name).index_hint(_INDEX)
    return statement if hint is None else statement.with_hint(tickers, hint)
