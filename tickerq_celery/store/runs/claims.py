"""Claims of due runs, each write guarded by the status and the claim number.

While some wait for capacity in their queue, ``store/runs/due_flows.py`` locks what is claimed here.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Update, and_, bindparam, case, exists, func, or_, select, update

from tickerq_celery.clock import Clock
from tickerq_celery.enums import TickerKind, TickerPriority, TickerStatus
from tickerq_celery.payload.codec import Packed
from tickerq_celery.store.database.batches import among
from tickerq_celery.store.database.bound import bound, parameters
from tickerq_celery.store.database.transaction import Transaction, rowcount
from tickerq_celery.store.reading.index_scans import EARLIEST, unindexed
from tickerq_celery.store.reading.row_mapping import TIMEOUTS
from tickerq_celery.store.tables import pauses, tickers
from tickerq_celery.store.tables.column_types import sql_after, sql_now
from tickerq_celery.tickers.claims import Claim, Due
from tickerq_celery.tickers.flows import Flows
from tickerq_celery.tickers.timeouts import Timeouts

# The only request that a publisher needs.
CALL: tuple[ColumnElement[Any], ...] = (
    case((tickers.c.kind == TickerKind.CELERY_TASK.value, tickers.c.request)).label("call"),
    tickers.c.encoding,
    tickers.c.task_id,
    tickers.c.has_children,
)


def call_from(row: Row[Any]) -> Packed | None:
    """Return the call that a row of these columns holds, or None where it is a ticker function's run."""
    return None if row.call is None else Packed(row.call, row.encoding)


def lock_due(tx: Transaction, *, limit: int, ids: Collection[UUID] | None = None) -> list[Due]:
    """Lock up to ``limit`` due runs, oldest first, passing over those that another claim holds.

    ``ids`` narrows to those runs; an empty collection locks none.
    """
    is_due: ColumnElement[bool] = and_(tickers.c.namespace == tx.namespace, tickers.c.due_at <= tx.sql_now())
    if ids is not None:
        # Without the index of what is due, of which a database might read all to find a few.
        is_due = and_(among(tx, tickers.c.id, list(ids)), unindexed(is_due))
    statement = (
        select(*due_columns(due_at=tickers.c.due_at))
        .where(is_due)
        .order_by(tickers.c.due_at, tickers.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [due_from(row) for row in tx.execute(statement).all()]


def due_beside(tx: Transaction, flows: Flows, *, limit: int) -> Sequence[UUID]:
    """Return up to ``limit`` due runs that are of none of these flows, oldest first, without a lock."""
    statement = (
        select(tickers.c.id)
        .where(tickers.c.namespace == tx.namespace, tickers.c.due_at <= tx.sql_now(), *_beside(flows))
        .order_by(tickers.c.due_at, tickers.c.id)
        .limit(limit)
    )
    return tx.scalars(statement).all()


def _beside(flows: Flows) -> Iterator[ColumnElement[bool]]:
    """Yield what is true of runs of other flows: at least of those that share neither name with one."""
    if flows.crons:
        cron = tickers.c.cron_ticker_id
        yield or_(cron.is_(None), cron.not_in(flows.crons))
    if flows.slots:
        key, keys = tickers.c.concurrency_key, {slot.key for slot in flows.slots}
        others = tickers.c.function.not_in({slot.function for slot in flows.slots})
        yield or_(key.is_(None), key.not_in(keys), others)
    if flows.queues:
        queues = {each.queue or "" for each in flows.queues}
        others = tickers.c.function.not_in({each.function for each in flows.queues})
        yield or_(others, func.coalesce(tickers.c.queue, "").not_in(queues))


def due_columns(*, due_at: ColumnElement[Any]) -> list[ColumnElement[Any]]:
    """Return what must be read of a run that may be claimed, with its due moment."""
    return [
        tickers.c.id,
        tickers.c.claim_no,
        tickers.c.function,
        tickers.c.queue,
        tickers.c.concurrency_key,
        tickers.c.priority,
        due_at,
        tickers.c.cron_ticker_id,
        tickers.c.instant,
        *TIMEOUTS,
        *CALL,
    ]


def due_from(row: Sequence[Any]) -> Due:
    """Return the run that a row of the columns above describes."""
    # By position, since a claim reads 500 rows: by name it takes twice as long.
    run_id, claim_no, function, queue, concurrency_key, priority, due_at, *rest = row
    cron_ticker_id, instant, soft, hard, call, encoding, task_id, has_children = rest
    return Due(
        id=run_id,
        claim_no=claim_no,
        function=function,
        queue=queue,
        concurrency_key=concurrency_key,
        priority=TickerPriority(priority),
        due_at=due_at,
        cron_ticker_id=cron_ticker_id,
        instant=instant,
        timeouts=Timeouts(soft=soft, hard=hard),
        has_children=has_children,
        call=None if call is None else Packed(call, encoding),
        task_id=task_id,
    )


def claim(
    tx: Transaction,
    due: Sequence[Due],
    *,
    holder: str,
    late_after: timedelta,
    publish_check: timedelta,
) -> list[Claim]:
    """Take runs that this transaction locked, Idle to Queued, with the next claim number; urgent first."""
    if not due:
        return []
    statement = (
        update(tickers)
        .where(among(tx, tickers.c.id, [run.id for run in due]), tickers.c.status == TickerStatus.IDLE)
        .ordered_values(*_taken(tx.clock, holder, late_after=late_after, publish_check=publish_check))
    )
    taken = rowcount(tx, statement)
    if taken != len(due):
        raise AssertionError(f"claimed {taken} of {len(due)} locked runs")
    return _claims_of(due)


def claim_calls(
    tx: Transaction,
    calls: Sequence[Due],
    *,
    holder: str,
    late_after: timedelta,
    publish_check: timedelta,
    most_queued: int,
) -> Sequence[Claim] | None:
    """Take calls of Celery tasks, of one queue, by one statement, which asks all that could hold them.

    Returns None where it has not taken all of them: the caller undoes it, and claims them as any runs.
    """
    queue = calls[0].queue or ""
    taken = tx.execute(
        _take_calls(tx.clock, late_after, publish_check, most_queued),
        parameters({"namespace": tx.namespace, "lock_holder": holder, "queue": queue})
        | {"ids": [run.id for run in calls]},
    )
    return _claims_of(calls) if taken.rowcount == len(calls) else None


# A process has one clock, and one configuration.
@lru_cache(maxsize=8)
def _take_calls(clock: Clock, late_after: timedelta, publish_check: timedelta, most_queued: int) -> Update:
    ours = bound(tickers.c.namespace)
    queued = tickers.alias()
    is_of_queue = unindexed(
        queued.c.namespace == ours,
        queued.c.kind == TickerKind.FUNCTION.value,
        func.coalesce(queued.c.queue, "") == bound(tickers.c.queue),
    )
    in_queue = select(func.count()).where(queued.c.check_at >= EARLIEST, is_of_queue).scalar_subquery()
    # Without the index of what is due, as above.
    is_free = unindexed(
        tickers.c.namespace == ours,
        tickers.c.status == TickerStatus.IDLE,
        # Nobody has claimed or edited it since it was stored: what is published is what was stored.
        tickers.c.claim_no == 0,
        tickers.c.updated_at == tickers.c.created_at,
        tickers.c.due_at <= sql_now(clock),
        ~exists(select(pauses.c.name).where(pauses.c.namespace == ours)),
        in_queue < most_queued,
    )
    ids = bindparam("ids", expanding=True, type_=tickers.c.id.type)
    taken = _taken(clock, bound(tickers.c.lock_holder), late_after=late_after, publish_check=publish_check)
    return update(tickers).where(tickers.c.id.in_(ids), is_free).ordered_values(*taken)


def _taken(
    clock: Clock, holder: object, *, late_after: timedelta, publish_check: timedelta
) -> Sequence[tuple[Any, Any]]:
    first_and_late = (tickers.c.claim_no == 0) & (tickers.c.due_at < sql_after(clock, -late_after))
    return (
        # MariaDB assigns from left to right: what reads an old value stands before what replaces it.
        (tickers.c.is_late, case((first_and_late, True), else_=tickers.c.is_late)),
        (tickers.c.claim_no, tickers.c.claim_no + 1),
        (tickers.c.status, TickerStatus.QUEUED),
        (tickers.c.due_at, None),
        (tickers.c.held_for, None),
        (tickers.c.hold_key, None),
        (tickers.c.held_since, None),
        (tickers.c.check_at, sql_after(clock, publish_check)),
        (tickers.c.publish_count, 0),
        (tickers.c.published_at, None),
        (tickers.c.lock_holder, holder),
        (tickers.c.locked_at, sql_now(clock)),
        (tickers.c.updated_at, sql_now(clock)),
    )


def _claims_of(due: Sequence[Due]) -> list[Claim]:
    ordered = sorted(due, key=lambda run: (run.priority, run.due_at, run.id))
    return [_claim_of(run) for run in ordered]


def _claim_of(run: Due) -> Claim:
    return Claim(
        id=run.id,
        number=run.claim_no + 1,
        function=run.function,
        queue=run.queue,
        priority=run.priority,
        timeouts=run.timeouts,
        due_at=run.due_at,
        has_children=run.has_children,
        call=run.call,
        task_id=run.task_id,
        cron_ticker_id=run.cron_ticker_id,
    )
