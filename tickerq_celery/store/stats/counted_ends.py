"""Read the ends of runs as the roll-up counts them, in the order of their ends and never more than asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, or_, select, true

from tickerq_celery.store.database.dialects import dialect_of
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.tables import rollup_state as state
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


@dataclass(frozen=True, slots=True, kw_only=True)
class NewestEnds:
    """The watermark of the roll-up, and the last ends behind it ``at`` a moment, the last one first."""

    after: EndPosition
    at: datetime
    ends: Sequence[EndedRun]


def newest_uncounted(tx: Transaction, *, limit: int) -> NewestEnds | None:
    """Return the last ``limit`` runs of the store that are not counted; None where nothing is counted."""
    ended_at, ended_id = (
        select(column).where(state.c.id == 1).scalar_subquery()
        for column in (state.c.ended_at, state.c.ended_id)
    )
    ends = _later(tx, ended_at, ended_id).order_by(_T.ended_at.desc(), _T.id.desc()).limit(limit).subquery()
    about = (state.c.ended_at.label("counted_until"), state.c.ended_id, tx.sql_now())
    both = select(*about, *ends.c).select_from(state.outerjoin(ends, true())).where(state.c.id == 1)
    rows = tx.execute(both.order_by(ends.c.ended_at.desc(), ends.c.id.desc())).all()
    if not rows:
        return None
    counted_until, counted_id, now = rows[0][: len(about)]
    found = [_ended(*row[len(about) :]) for row in rows if row[len(about)] is not None]
    return NewestEnds(after=EndPosition(ended_at=counted_until, id=counted_id), at=now, ends=found)


def _beyond(tx: Transaction, after: EndPosition) -> Select[Any]:
    return _later(tx, after.ended_at, after.id)


def _later(
    tx: Transaction, ended_at: datetime | ColumnElement[datetime], ended_id: UUID | ColumnElement[UUID]
) -> Select[Any]:
    is_later = or_(_T.ended_at > ended_at, _T.id > ended_id)
    statement = select(*_COLUMNS).where(_T.ended_at >= ended_at, is_later)
    hint = dialect_of(tx.connection.dialect.name).index_hint(_INDEX)
    return statement if hint is None else statement.with_hint(tickers, hint)
