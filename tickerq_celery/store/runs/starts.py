"""Starts of claimed runs, and the runs that are in progress: each write guarded by the claim number."""

from collections.abc import Collection
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, UpdateBase, and_, false, func, select, true, update

from tickerq_celery.clock import Clock
from tickerq_celery.enums import TickerStatus
from tickerq_celery.payload.codec import NO_REQUEST, Packed
from tickerq_celery.store.database.bound import bound, parameters
from tickerq_celery.store.database.dialects import dialect_of
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.reading.row_mapping import TIMEOUTS, read_fields, timeouts_from
from tickerq_celery.store.tables import tickers
from tickerq_celery.store.tables.column_types import sql_now
from tickerq_celery.tickers.claims import Started
from tickerq_celery.tickers.lifecycle import Standing
from tickerq_celery.tickers.retry_policy import RetryPolicy

# The fields of a started run that are columns, and the columns of which others are made.
_OWN = tuple(each.name for each in fields(Started) if each.name in tickers.c and each.name != "request")
_STANDING = ("retry_count", "rescue_count", "is_late", "retries", "retry_intervals")
STARTED: tuple[ColumnElement[Any], ...] = (*(tickers.c[name] for name in (*_OWN, *_STANDING)), *TIMEOUTS)
_EXECUTED = (*STARTED, tickers.c.request, tickers.c.encoding)
_IS_PLAIN = and_(tickers.c.parent_id.is_(None), tickers.c.has_children.is_(false()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked:
    """A run that this transaction has locked, and how it stood then."""

    run: Started
    status: TickerStatus


def locked_row(row: Row[Any]) -> Locked:
    """Return the run that a row of the columns above and ``status`` describes."""
    return Locked(run=started(row), status=row.status)


def lock_free(tx: Transaction, ids: Collection[UUID]) -> set[UUID]:
    """Lock those of ``ids`` that no other transaction has locked, and return them.

    A process that is stalled in its transaction keeps its locks: other work never waits for them.
    """
    if not ids:
        return set()
    free = select(tickers.c.id).where(tickers.c.id.in_(list(ids))).with_for_update(skip_locked=True)
    # MariaDB would read a small table by another index, and lock each row for a moment: two transactions
    # would pass over one another's rows.
    hint = dialect_of(tx.connection.dialect.name).index_hint("PRIMARY")
    return set(tx.scalars(free if hint is None else free.with_hint(tickers, hint)))


def start(
    tx: Transaction,
    *,
    ticker_id: UUID,
    claim_no: int,
    start_id: UUID,
    node_id: UUID,
    node: str,
    only_plain: bool = False,
) -> Started | None:
    """Let this worker execute a claim of its namespace, or return None where it is stale or another's.

    ``start_id`` is this start's alone. ``only_plain`` returns None for a run of a chain as well, whose start
    is more than this statement.
    """
    is_returned = tx.connection.dialect.update_returning
    written = tx.execute(
        _start(tx.clock, only_plain=only_plain, is_returned=is_returned),
        parameters(
            {
                "id": ticker_id,
                "namespace": tx.namespace,
                "claim_no": claim_no,
                "start_id": start_id,
                "running_on": node_id,
                "lock_holder": node,
            }
        ),
    )
    if is_returned:
        row = written.one_or_none()
        return None if row is None else _executed(row)
    return own(tx, ticker_id, claim_no, start_id) if written.rowcount == 1 else None


def own(tx: Transaction, ticker_id: UUID, claim_no: int, start_id: UUID) -> Started | None:
    """Return the run that this start has let this worker execute, or None.

    The node does not tell its children apart, to several of which a broker may deliver the same message.
    """
    values = parameters({"id": ticker_id, "claim_no": claim_no, "start_id": start_id})
    row = tx.execute(_STARTED_BY, values).one_or_none()
    return None if row is None else _executed(row)


def running_under(tx: Transaction, node_id: UUID, *, limit: int) -> list[Started]:
    """Return up to ``limit`` runs that are InProgress under a node, without their requests."""
    rows = tx.execute(select(*STARTED).where(tickers.c.running_on == node_id).limit(limit))
    return [started(row) for row in rows]


def started(row: Row[Any], request: Packed = NO_REQUEST) -> Started:
    """Return the run that a row of the columns above describes; only a worker needs the request."""
    return Started(
        request=request,
        standing=Standing(
            retry_count=row.retry_count,
            rescue_count=row.rescue_count,
            is_late=row.is_late,
            policy=RetryPolicy(limit=row.retries, intervals=row.retry_intervals),
        ),
        timeouts=timeouts_from(row),
        **read_fields(row, _OWN),
    )


def is_running(
    ticker_id: UUID | ColumnElement[UUID], claim_no: int | ColumnElement[int]
) -> ColumnElement[bool]:
    """Return the condition that a run is InProgress under this claim."""
    return and_(
        tickers.c.id == ticker_id,
        tickers.c.claim_no == claim_no,
        tickers.c.status == TickerStatus.IN_PROGRESS,
    )


def running(tx: Transaction, ticker_id: UUID, claim_no: int) -> Started | None:
    """Return the run, without its request, if this claim is InProgress, or None."""
    row = tx.execute(select(*STARTED).where(is_running(ticker_id, claim_no))).one_or_none()
    return None if row is None else started(row)


def _executed(row: Row[Any]) -> Started:
    return started(row, Packed(row.request, row.encoding))


# A process has one clock.
@lru_cache(maxsize=8)
def _start(clock: Clock, *, only_plain: bool, is_returned: bool) -> UpdateBase:
    now = sql_now(clock)
    statement = (
        update(tickers)
        .where(
            tickers.c.id == bound(tickers.c.id),
            tickers.c.namespace == bound(tickers.c.namespace),
            tickers.c.claim_no == bound(tickers.c.claim_no),
            tickers.c.status == TickerStatus.QUEUED,
            _IS_PLAIN if only_plain else true(),
        )
        .values(
            status=TickerStatus.IN_PROGRESS,
            start_id=bound(tickers.c.start_id),
            running_on=bound(tickers.c.running_on),
            lock_holder=bound(tickers.c.lock_holder),
            locked_at=now,
            check_at=None,
            started_at=now,
            # A worker may be faster than the note that its message was published.
            published_at=func.coalesce(tickers.c.published_at, now),
            elapsed=None,
            progress=None,
            progress_message=None,
            updated_at=now,
        )
    )
    return statement.returning(*_EXECUTED) if is_returned else statement


_STARTED_BY = select(*_EXECUTED).where(
    is_running(bound(tickers.c.id), bound(tickers.c.claim_no)),
    tickers.c.start_id == bound(tickers.c.start_id),
)
