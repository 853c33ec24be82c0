"""Claims whose message was lost: taken over by a sweep, and published again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, case, select, update

from tickerq_celery.clock import Clock
from tickerq_celery.enums import TickerKind, TickerPriority, TickerStatus
from tickerq_celery.store.claims import CALL, call_from
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.nodes import Node
from tickerq_celery.store.publications import end_as_published
from tickerq_celery.store.tables import tickers
from tickerq_celery.store.tables.column_types import sql_after
from tickerq_celery.tickers.claims import Claim
from tickerq_celery.tickers.timeouts import Timeouts

# Twice the delay for each further publication, up to a thousandfold.
_MOST_DOUBLINGS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenOver:
    """What a sweep took over: claims to publish again, and how many published calls it has ended."""

    claims: Sequence[Claim]
    unreported: int


def take_over(tx: Transaction, *, limit: int, check_after: timedelta) -> TakenOver:
    """Take up to ``limit`` Queued runs whose message seems lost, so that they are published again.

    Their claim stays the same; the next check comes after twice the time. The call of a Celery task whose
    publication was stamped ends instead: no worker would drop its second message.
    """
    rows = tx.execute(
        select(
            tickers.c.id,
            tickers.c.claim_no,
            tickers.c.function,
            tickers.c.queue,
            tickers.c.priority,
            tickers.c.timeout,
            tickers.c.hard_timeout,
            tickers.c.publish_count,
            tickers.c.published_at,
            tickers.c.cron_ticker_id,
            *CALL,
        )
        .where(tickers.c.check_at <= tx.sql_now(), tickers.c.namespace == tx.namespace)
        .order_by(tickers.c.check_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    published = [row for row in rows if row.call is not None and row.published_at is not None]
    lost = [row for row in rows if row not in published]
    unreported = sum(end_as_published(tx, row.id, row.claim_no) for row in published)
    if lost:
        tx.execute(
            update(tickers)
            .where(tickers.c.id.in_([row.id for row in lost]), tickers.c.status == TickerStatus.QUEUED)
            .values(check_at=_next_check(tx.clock, check_after))
        )
    return TakenOver(claims=[_claim_of(row) for row in lost], unreported=unreported)


def _claim_of(row: Row[*tuple[Any, ...]]) -> Claim:
    return Claim(
        id=row.id,
        number=row.claim_no,
        function=row.function,
        queue=row.queue,
        priority=TickerPriority(row.priority),
        timeouts=Timeouts(soft=row.timeout, hard=row.hard_timeout),
        publish_count=row.publish_count,
        has_children=row.has_children,
        call=call_from(row),
        task_id=row.task_id,
        cron_ticker_id=row.cron_ticker_id,
    )


def check_prefetched(tx: Transaction, node: Node, *, lease: timedelta) -> int:
    """Let the sweep publish again what a dead worker may have prefetched; return how many runs.

    Redis hides prefetched messages for an hour: the oldest Queued runs of the worker's queues that were
    published before its death, at most its prefetch window. It died within one lease of its last sign
    of life. Calls of Celery tasks are not among them: no worker would drop their second message.
    """
    if not node.queues:
        return 0
    ids = tx.scalars(
        select(tickers.c.id)
        .where(
            tickers.c.check_at.is_not(None),
            tickers.c.namespace == node.namespace,
            tickers.c.published_at <= node.seen_at + lease,
            tickers.c.kind == TickerKind.FUNCTION.value,
            # Celery routed a run that names no queue, maybe to one of these: a second message is harmless.
            tickers.c.queue.in_(node.queues) | tickers.c.queue.is_(None),
        )
        .order_by(tickers.c.published_at)
        .limit(node.prefetch or 0)
        .with_for_update(skip_locked=True)
    ).all()
    if ids:
        tx.execute(
            update(tickers)
            .where(tickers.c.id.in_(ids), tickers.c.status == TickerStatus.QUEUED)
            .values(check_at=tx.sql_now())
        )
    return len(ids)


def _next_check(clock: Clock, check_after: timedelta) -> ColumnElement[Any]:
    return case(
        *(
            (tickers.c.publish_count == n, sql_after(clock, check_after * 2**n))
            for n in range(_MOST_DOUBLINGS)
        ),
        else_=sql_after(clock, check_after * 2**_MOST_DOUBLINGS),
    )
