"""Claims whose message was lost, or may be: taken over by a sweep, and published again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, bindparam, case, or_, select, update

from tickerq_celery.clock import Clock
from tickerq_celery.enums import OnLost, TickerKind, TickerPriority, TickerStatus
from tickerq_celery.store.claims import CALL, call_from
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.nodes import Node
from tickerq_celery.store.publications import LONGEST_CHECK, NEVER, end_as_published, until_check
from tickerq_celery.store.tables import tickers
from tickerq_celery.store.tables.column_types import sql_after
from tickerq_celery.tickers.claims import Claim
from tickerq_celery.tickers.losses import NO_EVIDENCE, Evidence, Fate, MessageFlow, fate_of
from tickerq_celery.tickers.timeouts import Timeouts

# From so many losses on, whatever the settings, a check comes after the longest time.
_MOST_LOSSES = 20
_Row = Row[*tuple[Any, ...]]
# SQLite takes no condition of a thousand parts.
_FLOWS_AT_ONCE = 200
# Of functions, whose second message a worker drops, and of calls whose team has chosen at least once.
_MAY_COUNT_AS_LOST = and_(
    tickers.c.check_at.is_not(None),
    or_(tickers.c.kind == TickerKind.FUNCTION.value, tickers.c.on_lost == OnLost.RETRY.value),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenOver:
    """What a sweep took over: claims to publish again, and how many published calls it has ended.

    ``lost`` is of how many claims there was evidence that their message was lost.
    """

    claims: Sequence[Claim]
    unreported: int
    lost: int


def waiting_flows(tx: Transaction, *, lease: timedelta) -> frozenset[MessageFlow]:
    """Return the flows of which a message was published a lease ago or earlier, and not started."""
    rows = tx.execute(
        select(tickers.c.function, tickers.c.queue, tickers.c.kind)
        .where(_MAY_COUNT_AS_LOST, tickers.c.namespace == tx.namespace)
        .where(tickers.c.published_at <= tx.sql_after(-lease))
        .distinct()
    )
    is_call = TickerKind.CELERY_TASK.value
    return frozenset(MessageFlow(row.function, row.queue, row.kind == is_call) for row in rows)


def bring_forward(tx: Transaction, evidence: Evidence, *, lease: timedelta, limit: int) -> int:
    """Let what ``evidence`` says is lost be checked at once; return of how many runs.

    A message counts as lost a lease after its publication at the earliest, and after each loss that was seen
    after twice the time: a broker that loses everything is not flooded.
    """
    flows, forward = sorted(evidence.lost, key=str), 0
    for first in range(0, len(flows), _FLOWS_AT_ONCE):
        if forward < limit:
            part = flows[first : first + _FLOWS_AT_ONCE]
            forward += _bring_forward(tx, part, evidence.at, lease=lease, limit=limit - forward)
    return forward


def _bring_forward(
    tx: Transaction, flows: Sequence[MessageFlow], before: datetime, *, lease: timedelta, limit: int
) -> int:
    age = {n: until_check(lease, losses=n - 1) for n in range(1, _MOST_LOSSES)}
    latest = case(
        *((tickers.c.publish_count == n, tx.sql_after(-each)) for n, each in age.items()),
        else_=tx.sql_after(-LONGEST_CHECK),
    )
    ids = tx.scalars(
        select(tickers.c.id)
        .where(_MAY_COUNT_AS_LOST, tickers.c.namespace == tx.namespace, tickers.c.check_at > tx.sql_now())
        .where(tickers.c.published_at <= latest, tickers.c.published_at < before)
        .where(or_(*map(_is_of, flows)))
        .order_by(tickers.c.check_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    if ids:
        tx.execute(
            update(tickers)
            .where(tickers.c.id.in_(ids), tickers.c.status == TickerStatus.QUEUED)
            .values(check_at=tx.sql_now())
        )
    return len(ids)


def take_over(
    tx: Transaction, *, limit: int, check_after: timedelta, evidence: Evidence = NO_EVIDENCE
) -> TakenOver:
    """Take up to ``limit`` Queued runs that are to be checked, so that they are published again.

    Their claim stays the same. Where there is evidence that the message was lost, the next check comes after
    twice the time; where it waits in its queue, it is not published again before the longest time. The call
    of a Celery task whose publication was stamped ends instead, as no worker would drop its second message;
    but for one that was lost, and may be executed twice.
    """
    rows = _lock_due(tx, limit)
    fates = {row.id: _fate(row, evidence, tx.now) for row in rows}
    ended = [row for row in rows if fates[row.id] is Fate.UNKNOWN and _is_published_call(row)]
    unreported = sum(end_as_published(tx, row.id, row.claim_no) for row in ended if not row.has_children)
    _leave_waiting(tx, [row for row in rows if fates[row.id] is Fate.WAITS or row in ended])
    taken = [row for row in rows if fates[row.id] is not Fate.WAITS and row not in ended]
    if taken:
        queued = (tickers.c.id.in_([row.id for row in taken]), tickers.c.status == TickerStatus.QUEUED)
        tx.execute(update(tickers).where(*queued).values(check_at=_next_check(tx.clock, check_after)))
    lost_calls = [row.id for row in taken if _is_published_call(row)]
    if lost_calls:
        # A call is stamped only where it has no stamp.
        tx.execute(update(tickers).where(tickers.c.id.in_(lost_calls)).values(published_at=None))
    return TakenOver(
        claims=[_claim_of(row, is_loss=fates[row.id] is Fate.LOST) for row in taken],
        unreported=unreported,
        lost=sum(fate is Fate.LOST for fate in fates.values()),
    )


def _is_published_call(row: _Row) -> bool:
    return row.call is not None and row.published_at is not None


def _lock_due(tx: Transaction, limit: int) -> Sequence[_Row]:
    return tx.execute(
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
            tickers.c.on_lost,
            *CALL,
        )
        .where(tickers.c.check_at <= tx.sql_now(), tickers.c.namespace == tx.namespace)
        .order_by(tickers.c.check_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()


def _fate(row: _Row, evidence: Evidence, now: datetime) -> Fate:
    if _is_published_call(row) and row.on_lost != OnLost.RETRY:
        return Fate.UNKNOWN
    flow = MessageFlow(row.function, row.queue, row.call is not None)
    return fate_of(flow, row.published_at, evidence, now=now, longest=LONGEST_CHECK)


def _is_of(flow: MessageFlow) -> ColumnElement[bool]:
    kind = TickerKind.CELERY_TASK if flow.is_call else TickerKind.FUNCTION
    queue = tickers.c.queue
    return and_(
        tickers.c.function == flow.name,
        tickers.c.kind == kind.value,
        queue.is_(None) if flow.queue is None else queue == flow.queue,
    )


def _leave_waiting(tx: Transaction, rows: Sequence[_Row]) -> None:
    """Look again at messages that wait when they have waited for the longest time.

    At a call with children never: what these wait for is a report.
    """
    if rows:
        statement = (
            update(tickers)
            .where(tickers.c.id == bindparam("waiting_id"), tickers.c.status == TickerStatus.QUEUED)
            .values(check_at=bindparam("at"))
        )
        later = [{"waiting_id": row.id, "at": _longest_wait_of(row)} for row in rows]
        tx.execute(statement, later)


def _longest_wait_of(row: _Row) -> datetime:
    found: datetime = row.published_at + LONGEST_CHECK
    return NEVER if row.call is not None and row.has_children else found


def _claim_of(row: _Row, *, is_loss: bool) -> Claim:
    # Publications that were no answer to a loss do not count, so that waiting lengthens no check.
    count = row.publish_count if is_loss or row.published_at is None else max(0, row.publish_count - 1)
    return Claim(
        id=row.id,
        number=row.claim_no,
        function=row.function,
        queue=row.queue,
        priority=TickerPriority(row.priority),
        timeouts=Timeouts(soft=row.timeout, hard=row.hard_timeout),
        publish_count=count,
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
            (tickers.c.publish_count == n, sql_after(clock, until_check(check_after, losses=n)))
            for n in range(_MOST_LOSSES)
        ),
        else_=sql_after(clock, LONGEST_CHECK),
    )
