"""What Celery's result backend is still to be told: owed with the cancel of a call, taken over, written."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select, update

from tickerq_celery.ids import new_id
from tickerq_celery.payload.codec import Packed
from tickerq_celery.store.database.batches import in_parts, insert_rows
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.tables import revocations, tickers
from tickerq_celery.tickers.claims import Started
from tickerq_celery.tickers.durable_calls import Revocation

# How long a process that has committed a cancel, or taken its revocation over, has it for itself.
TAKEN_FOR = timedelta(minutes=1)


def owe(tx: Transaction, runs: Collection[Started]) -> Mapping[UUID, UUID]:
    """Note that the calls among these runs are revoked: this transaction ends them before they are published.

    Return the ids of what is owed, by those of the runs. It is this process's own once that is committed.
    """
    calls = [run for run in runs if run.is_call]
    if not calls:
        return {}
    owed = {run.id: new_id() for run in calls}
    rows = [
        {
            "id": owed[run.id],
            "namespace": tx.namespace,
            "ticker_id": run.id,
            "task_id": run.task_id or str(run.id),
            "take_over_at": tx.now + TAKEN_FOR,
            "takeovers": 0,
        }
        for run in calls
    ]
    insert_rows(tx, revocations, rows)
    return owed


def owed(tx: Transaction, ids: Sequence[UUID]) -> list[Revocation]:
    """Return those of ``ids`` that the process which owes them still has."""
    return in_parts(ids, lambda part: _read(tx, revocations.c.id.in_(part), revocations.c.takeovers == 0))


def take_over(tx: Transaction, *, limit: int) -> list[Revocation]:
    """Take up to ``limit`` from processes that have had them for too long."""
    is_left = (revocations.c.namespace == tx.namespace, revocations.c.take_over_at <= tx.sql_now())
    first = (revocations.c.take_over_at, revocations.c.id)
    left = select(revocations.c.id).where(*is_left).order_by(*first).limit(limit)
    ids = tx.scalars(left.with_for_update(skip_locked=True)).all()
    if not ids:
        return []
    tx.execute(
        update(revocations)
        .where(revocations.c.id.in_(ids))
        .values(takeovers=revocations.c.takeovers + 1, take_over_at=tx.sql_after(TAKEN_FOR))
    )
    return _read(tx, revocations.c.id.in_(ids))


def settle(tx: Transaction, written: Revocation) -> bool:
    """Forget what the result backend has; return False where another process has taken it over."""
    is_mine = (revocations.c.id == written.id, revocations.c.takeovers == written.takeovers)
    return tx.execute(delete(revocations).where(*is_mine)).rowcount == 1


def _read(tx: Transaction, *conditions: ColumnElement[bool]) -> list[Revocation]:
    rows: Any = tx.execute(
        select(
            revocations.c.id,
            revocations.c.takeovers,
            revocations.c.task_id,
            tickers.c.function,
            tickers.c.request,
            tickers.c.encoding,
        )
        .join(tickers, tickers.c.id == revocations.c.ticker_id)
        .where(*conditions)
        .order_by(revocations.c.id)
    ).all()
    return [
        Revocation(
            id=row.id,
            takeovers=row.takeovers,
            task=row.function,
            task_id=row.task_id,
            call=Packed(row.request, row.encoding),
        )
        for row in rows
    ]
