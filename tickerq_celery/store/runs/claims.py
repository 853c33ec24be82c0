"""Claims of due runs, each write guarded by the status and the claim number.

While some wait for capacity in their queue, ``store/runs/due_flows.py`` locks what is claimed here.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, case, func, or_, select, update

from tickerq_celery.enums import TickerKind, TickerPriority, TickerStatus
from tickerq_celery.payload.codec import Packed
from tickerq_celery.store.database.batches import among
from tickerq_celery.store.database.transaction import Transaction, rowcount
from tickerq_celery.store.tables import tickers
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
        is_due = and_(among(tx, tickers.c.id, list(ids)), case((is_due, 1), else_=0) == 1)
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
        tickers.c.timeout,
        tickers.c.hard_timeout,
        *CALL,
    ]


def due_from(row: Sequence[Any]) -> Due:
    """Return the run that a row of the columns above describes."""
    # By position, since a claim reads 500 rows: by name it takes twice as long.
    run_id, claim_no, function, queue, concurrency_key, priority, due_at, *rest = row
    cron_ticker_id, instant, timeout, hard_timeout, call, encoding, task_id, has_children = rest
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
        timeout=timeout,
        hard_timeout=hard_timeout,
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
    first_and_late = (tickers.c.claim_no == 0) & (tickers.c.due_at < tx.sql_after(-late_after))
    statement = (
        update(tickers)
        .where(among(tx, tickers.c.id, [run.id for run in due]), tickers.c.status == TickerStatus.IDLE)
        # MariaDB assigns from left to right: what reads an old value stands before what replaces it.
        .ordered_values(
            (tickers.c.is_late, case((first_and_late, True), else_=tickers.c.is_late)),
            (tickers.c.claim_no, tickers.c.claim_no + 1),
            (tickers.c.status, TickerStatus.QUEUED),
            (tickers.c.due_at, None),
            (tickers.c.held_for, None),
            (tickers.c.hold_key, None),
            (tickers.c.held_since, None),
            (tickers.c.check_at, tx.sql_after(publish_check)),
            (tickers.c.publish_count, 0),
            (tickers.c.published_at, None),
            (tickers.c.lock_holder, holder),
            (tickers.c.locked_at, tx.sql_now()),
            (tickers.c.updated_at, tx.sql_now()),
        )
    )
    taken = rowcount(tx, statement)
    if taken != len(due):
        raise AssertionError(f"claimed {taken} of {len(due)} locked runs")
    ordered = sorted(due, key=lambda run: (run.priority, run.due_at, run.id))
    return [_claim_of(run) for run in ordered]


def _claim_of(run: Due) -> Claim:
    return Claim(
        id=run.id,
        number=run.claim_no + 1,
        function=run.function,
        queue=run.queue,
        priority=run.priority,
        timeouts=Timeouts(soft=run.timeout, hard=run.hard_timeout),
        due_at=run.due_at,
        has_children=run.has_children,
        call=run.call,
        task_id=run.task_id,
        cron_ticker_id=run.cron_ticker_id,
    )
