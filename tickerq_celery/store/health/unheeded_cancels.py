"""Runs in progress whose end was requested a while ago."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from tickerq_celery.enums import TickerKind
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.reading import active_runs
from tickerq_celery.store.tables import tickers
from tickerq_celery.tickers.claims import CancelRequest
from tickerq_celery.tickers.counts import MOST_COUNTED

_T = tickers.c
_COLUMNS = (_T.id, _T.function, _T.lock_holder, _T.cancel_request, _T.updated_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnheededCancel:
    """A run that was asked to end at a moment, or its process to be killed, and is in progress on a node."""

    id: UUID
    function: str
    node: str | None
    asked: CancelRequest
    asked_at: datetime


def find(
    tx: Transaction, *, present: Collection[UUID], asked_for: timedelta, most: int
) -> list[UnheededCancel]:
    """Return up to ``most`` runs of functions on nodes that are ``present``, those asked first first.

    They are looked for among the first runs that are in progress. Nothing but the request changes a run in
    progress, so that the last change is the moment of it.
    """
    some = (
        select(*_COLUMNS, _T.namespace, _T.kind, _T.running_on)
        .where(active_runs.IS_RUNNING)
        .order_by(_T.running_on)
        .limit(MOST_COUNTED)
        .subquery()
    )
    asked = (
        select(some)
        .where(
            some.c.namespace == tx.namespace,
            some.c.kind == TickerKind.FUNCTION.value,
            some.c.cancel_request.is_not(None),
            some.c.updated_at < tx.now - asked_for,
        )
        .order_by(some.c.updated_at, some.c.id)
    )
    rows = [row for row in tx.execute(asked) if row.running_on in present]
    return [
        UnheededCancel(
            id=row.id,
            function=row.function,
            node=row.lock_holder,
            asked=CancelRequest(row.cancel_request),
            asked_at=row.updated_at,
        )
        for row in rows[:most]
    ]
