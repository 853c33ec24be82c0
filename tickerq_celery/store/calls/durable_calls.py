"""Calls of Celery tasks that are kept until they are due: withdrawn, found."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, delete, select

from tickerq_celery.enums import TickerKind, TickerStatus
from tickerq_celery.store.database.batches import in_parts
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.tables import tickers


def withdraw(tx: Transaction, ticker_id: UUID) -> None:
    """Delete a call that was stored just now and never claimed."""
    tx.execute(
        delete(tickers).where(
            tickers.c.id == ticker_id,
            tickers.c.namespace == tx.namespace,
            tickers.c.status == TickerStatus.IDLE,
            tickers.c.claim_no == 0,
        )
    )


def waiting(tx: Transaction, task_ids: Collection[str]) -> list[UUID]:
    """Return the calls of Celery tasks that wait for their claim, by the ids of their messages.

    The message of a call without a ``task_id`` has the id of its run.
    """
    run_ids = [found for each in task_ids if (found := _as_run_id(each)) is not None]
    named, unnamed = tickers.c.task_id, tickers.c.task_id.is_(None)
    return [
        *in_parts(list(task_ids), lambda part: tx.scalars(_waiting(tx, named.in_(part))).all()),
        *in_parts(run_ids, lambda part: tx.scalars(_waiting(tx, unnamed, tickers.c.id.in_(part))).all()),
    ]


def _waiting(tx: Transaction, *conditions: ColumnElement[bool]) -> Select[Any]:
    return select(tickers.c.id).where(
        *conditions,
        tickers.c.namespace == tx.namespace,
        tickers.c.kind == TickerKind.CELERY_TASK.value,
        tickers.c.status == TickerStatus.IDLE,
    )


def _as_run_id(task_id: str) -> UUID | None:
    try:
        return UUID(task_id)
    except ValueError:
        return None
