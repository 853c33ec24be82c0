"""Requests that active runs end, in their rows."""

from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from tickerq_celery.enums import TickerType
from tickerq_celery.store.database.transaction import Transaction, rowcount
from tickerq_celery.store.runs.changed_at import changed_at
from tickerq_celery.store.runs.runs import one
from tickerq_celery.store.runs.starts import STARTED, Locked, is_running, locked_row
from tickerq_celery.store.tables import tickers
from tickerq_celery.tickers.claims import CancelRequest, Started


def lock(tx: Transaction, ticker_id: UUID, *, type: TickerType | None) -> Locked | None:
    """Lock a run, or return None where there is none, or another transaction has it."""
    statement = select(*STARTED, tickers.c.status).where(one(tx.namespace, ticker_id, type))
    row: Any = tx.execute(statement.with_for_update(skip_locked=True)).one_or_none()
    return None if row is None else locked_row(row)


def request(tx: Transaction, run: Started, wanted: CancelRequest) -> bool:
    """Request the end of an active run; return True if this claim is still InProgress.

    A request to kill its process is not replaced by one to end it.
    """
    if run.cancel_request is CancelRequest.TERMINATE:
        return True
    statement = (
        update(tickers)
        .where(is_running(run.id, run.claim_no))
        .values(cancel_request=wanted.value, updated_at=changed_at(tx.clock))
    )
    return rowcount(tx, statement) == 1


def is_requested(tx: Transaction, run: Started) -> bool:
    """Return True if the end of this claim was requested."""
    asked = tx.scalar(select(tickers.c.cancel_request).where(is_running(run.id, run.claim_no)))
    return asked is not None
