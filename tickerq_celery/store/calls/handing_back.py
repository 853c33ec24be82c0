"""Calls of Celery tasks that the store hands back to Celery, and what Celery could not hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, func, literal, not_, or_, select, union_all

from tickerq_celery.enums import HoldReason, TickerKind, TickerStatus
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.runs.claims import due_columns, due_from
from tickerq_celery.store.tables import cron_tickers, tickers
from tickerq_celery.tickers.claims import Due

_IS_CALL = tickers.c.kind == TickerKind.CELERY_TASK.value
# What has a due moment is Idle: a constraint of the table says so.
_WAITS = and_(_IS_CALL, tickers.c.due_at.is_not(None))
_IS_WITH_WORKERS = and_(
    _IS_CALL,
    or_(
        tickers.c.status == TickerStatus.IN_PROGRESS.value,
        and_(tickers.c.status == TickerStatus.QUEUED.value, tickers.c.published_at.is_not(None)),
    ),
)


class Why(StrEnum):
    """Why a run cannot be handed back."""

    FUNCTION = "of a ticker function"
    CHILD = "waits for its parent"
    CLAIMED = "beat is publishing it"
    HELD = "held by a pause, a limit or an overlap"


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingCalls:
    """How many calls of a task wait, and the first and the last moment at which one is due.

    So many of them are ``later``: due after the moment that was asked about.
    """

    task: str
    calls: int
    later: int
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftRuns:
    """How many runs of a function or task stay in the store, and why."""

    function: str
    why: Why
    runs: int


def count_waiting(tx: Transaction, *, later_than: datetime | None) -> list[WaitingCalls]:
    """Return the calls that wait, by task; ``later_than`` None means that none is too late."""
    is_later: ColumnElement[int] = literal(0)
    if later_than is not None:
        is_later = case((tickers.c.due_at > later_than, 1), else_=0)
    due = tickers.c.due_at
    rows = tx.execute(
        select(tickers.c.function, func.count(), func.sum(is_later), func.min(due), func.max(due))
        .where(tickers.c.namespace == tx.namespace, _WAITS)
        .group_by(tickers.c.function)
        .order_by(tickers.c.function)
    )
    return [
        WaitingCalls(task=task, calls=calls, later=int(later), first=first, last=last)
        for task, calls, later, first, last in rows
    ]


def waiting_after(tx: Transaction, after: UUID | None, *, limit: int) -> Sequence[UUID]:
    """Return the ids of calls that wait, in their order, from the first one after ``after`` on."""
    return tx.scalars(_page(tx, after, limit, tickers.c.id)).all()


def waiting_runs(tx: Transaction, after: UUID | None, *, limit: int) -> list[Due]:
    """Return what ``waiting_after`` returns, as the runs that they are."""
    return [
        due_from(row) for row in tx.execute(_page(tx, after, limit, *due_columns(due_at=tickers.c.due_at)))
    ]


def _page(tx: Transaction, after: UUID | None, limit: int, *columns: ColumnElement[Any]) -> Select[Any]:
    beyond = () if after is None else (tickers.c.id > after,)
    statement = select(*columns).where(tickers.c.namespace == tx.namespace, _WAITS, *beyond)
    return statement.order_by(tickers.c.id).limit(limit)


def is_waiting(tx: Transaction, run_id: UUID) -> bool:
    """Return True if a call waits, also where it is locked."""
    return tx.scalar(select(tickers.c.id).where(tickers.c.id == run_id, _WAITS)) is not None


def lock_waiting(tx: Transaction, run_id: UUID) -> Due | None:
    """Lock a call that waits, whenever it is due; None if it does not any more, or is locked."""
    statement = select(*due_columns(due_at=tickers.c.due_at)).where(tickers.c.id == run_id, _WAITS)
    row = tx.execute(statement.with_for_update(skip_locked=True)).one_or_none()
    return None if row is None else due_from(row)


def count_left(tx: Transaction) -> list[LeftRuns]:
    """Return the runs that have not ended, are not with workers, and are no calls that wait."""
    why = case(
        (not_(_IS_CALL), Why.FUNCTION.value),
        (tickers.c.status == TickerStatus.QUEUED.value, Why.CLAIMED.value),
        (tickers.c.held_for == HoldReason.PARENT.value, Why.CHILD.value),
        else_=Why.HELD.value,
    )
    rows = tx.execute(
        select(tickers.c.function, why, func.count())
        .where(
            tickers.c.namespace == tx.namespace,
            tickers.c.ended_at.is_(None),
            not_(_WAITS),
            not_(_IS_WITH_WORKERS),
        )
        .group_by(tickers.c.function, why)
        .order_by(tickers.c.function, why)
    )
    return [LeftRuns(function=function, why=Why(reason), runs=runs) for function, reason, runs in rows]


def other_namespaces(tx: Transaction) -> Sequence[str]:
    """Return the other namespaces that have a run or a cron ticker."""
    used = union_all(
        *(
            select(table.c.namespace).where(table.c.namespace != tx.namespace)
            for table in (tickers, cron_tickers)
        )
    ).subquery()
    return tx.scalars(select(used.c.namespace).distinct().order_by(used.c.namespace)).all()
