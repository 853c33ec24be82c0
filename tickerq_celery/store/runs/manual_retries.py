"""Runs that did not succeed, made due again by a person or a bulk job."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, update

from tickerq_celery.enums import RETRIABLE, HoldReason, TickerStatus, TickerType
from tickerq_celery.store.database.batches import write_in_parts
from tickerq_celery.store.database.transaction import Transaction, rowcount
from tickerq_celery.store.runs.changed_at import changed_at, later_than
from tickerq_celery.store.tables import attempts, tickers


def retry(tx: Transaction, ticker_id: UUID, *, task_id: str | None = None) -> bool:
    """Make a run due that did not succeed, with all of its retries; return True if it had ended so.

    A ``task_id`` becomes that of its messages.
    """
    seen = tx.scalar(select(tickers.c.updated_at).where(tickers.c.id == ticker_id))
    if seen is None:
        return False
    own_id = {} if task_id is None else {"task_id": task_id}
    statement = (
        update(tickers)
        .where(tickers.c.id == ticker_id, *_did_not_succeed(tx))
        .values(**_due_again(tx, later_than(tx, seen)), **own_id)
    )
    return rowcount(tx, statement) == 1


def retry_all(tx: Transaction, ids: Sequence[UUID]) -> None:
    """Do the same to runs that this transaction has locked.

    Only to such as need nothing else: no occurrences, which wait for their overlap lock, and no runs with a
    unique key, which another may have by now.
    """
    statement = update(tickers).where(*_did_not_succeed(tx)).values(_due_again(tx, changed_at(tx.clock)))
    written = write_in_parts(tx, statement, tickers.c.id, ids)
    if written != len(ids):
        raise AssertionError(f"retried {written} of {len(ids)} locked runs")


def wait_again(tx: Transaction, parent_id: UUID, ids: Sequence[UUID]) -> None:
    """Let children wait again that did not succeed, and that this transaction has locked."""
    values = _starts_again(tx, changed_at(tx.clock)) | {
        "due_at": None,
        "held_for": HoldReason.PARENT.value,
        "hold_key": str(parent_id),
        "held_since": tx.sql_now(),
    }
    statement = update(tickers).where(tickers.c.parent_id == parent_id, *_did_not_succeed(tx)).values(values)
    written = write_in_parts(tx, statement, tickers.c.id, ids)
    if written != len(ids):
        raise AssertionError(f"let {written} of {len(ids)} locked children wait")


def claim_count(tx: Transaction, ticker_id: UUID) -> int:
    """Return how often a run has been claimed."""
    count: int = tx.scalars(select(tickers.c.claim_no).where(tickers.c.id == ticker_id)).one()
    return count


def is_record(tx: Transaction, ticker_id: UUID) -> bool:
    """Whether a row is the record of instants that got no occurrence, and so no run.

    A manual run has no instant either, but only a claim of it can end as Skipped.
    """
    statement = select(tickers.c.id).where(
        tickers.c.id == ticker_id,
        tickers.c.type == TickerType.CRON_TICKER_OCCURRENCE,
        tickers.c.instant.is_(None),
        tickers.c.status == TickerStatus.SKIPPED,
        tickers.c.claim_no == 0,
    )
    return tx.scalar(statement) is not None


def _did_not_succeed(tx: Transaction) -> tuple[ColumnElement[bool], ...]:
    return (tickers.c.namespace == tx.namespace, tickers.c.status.in_(sorted(RETRIABLE)))


def _due_again(tx: Transaction, updated_at: ColumnElement[datetime]) -> dict[str, object]:
    return _starts_again(tx, updated_at) | {"due_at": tx.sql_now()}


def _starts_again(tx: Transaction, updated_at: ColumnElement[datetime]) -> dict[str, object]:
    so_far = select(func.coalesce(func.max(attempts.c.number) + 1, 0)).where(
        attempts.c.ticker_id == tickers.c.id
    )
    return {
        "status": TickerStatus.IDLE,
        "attempts_before": so_far.scalar_subquery(),
        "retried_at": tx.sql_now(),
        "retry_count": 0,
        "rescue_count": 0,
        "skipped_reason": None,
        "ended_at": None,
        "ended_status": None,
        "ended_on": None,
        # Not an occurrence's overlap lock, which another may hold by now.
        "active_key": tickers.c.unique_key,
        "updated_at": updated_at,
    }
