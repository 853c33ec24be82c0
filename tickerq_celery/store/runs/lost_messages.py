"""Claims whose message was lost, or may be: taken over by a sweep, and published again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, bindparam, case, or_, select, update

from tickerq_celery.enums import OnLost, TickerKind, TickerPriority, TickerStatus
from tickerq_celery.store.database.transaction import Transaction, rowcount
from tickerq_celery.store.nodes.nodes import Node
from tickerq_celery.store.reading.row_mapping import TIMEOUTS, timeouts_from
from tickerq_celery.store.runs.claims import CALL, call_from
from tickerq_celery.store.runs.publications import (
    LONGEST_CHECK,
    MOST_LOSSES,
    NEVER,
    end_as_published,
    until_check,
)
from tickerq_celery.store.tables import tickers
from tickerq_celery.tickers.claims import Claim
from tickerq_celery.tickers.losses import Checked, Evidence, Fate, MessageFlow, judged

_Row = Row[*tuple[Any, ...]]
# SQLite takes no condition of a thousand parts.
_FLOWS_AT_ONCE = 200
_IS_FUNCTION = tickers.c.kind == TickerKind.FUNCTION.value
_PUBLISHED_AGAIN = {Fate.LOST, Fate.UNKNOWN}
# Of functions, whose second message a worker drops, and of calls whose team has chosen at least once.
_MAY_COUNT_AS_LOST = and_(
    tickers.c.check_at.is_not(None),
    or_(_IS_FUNCTION, tickers.c.on_lost == OnLost.RETRY.value),
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
    return frozenset(
        MessageFlow(name=row.function, queue=row.queue, is_call=row.kind == is_call) for row in rows
    )


def bring_forward(tx: Transaction, evidence: Evidence, *, lease: timedelta, limit: int) -> int:
    """Let what ``evidence`` says is lost be checked at once; return of how many runs.

    A message counts as lost a lease after its publication at the earliest, and after each loss that was seen
    after twice the time: a broker that loses everything is not flooded.
    """
    flows, forward = sorted(evidence.lost.items(), key=str), 0
    for first in range(0, len(flows), _FLOWS_AT_ONCE):
        if forward < limit:
            part = flows[first : first + _FLOWS_AT_ONCE]
            forward += _bring_forward(tx, part, lease=lease, limit=limit - forward)
    return forward


def _bring_forward(
    tx: Transaction, lost: Sequence[tuple[MessageFlow, datetime]], *, lease: timedelta, limit: int
) -> int:
    age = {losses + 1: until_check(lease, losses=losses) for losses in range(MOST_LOSSES)}
    latest = case(
        *((tickers.c.publish_count == count, tx.sql_after(-each)) for count, each in age.items()),
        else_=tx.sql_after(-LONGEST_CHECK),
    )
    ids = tx.scalars(
        select(tickers.c.id)
        .where(_MAY_COUNT_AS_LOST, tickers.c.namespace == tx.namespace, tickers.c.check_at > tx.sql_now())
        .where(tickers.c.published_at <= latest)
        .where(or_(*(and_(_is_of(flow), tickers.c.published_at < before) for flow, before in lost)))
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
    tx: Transaction, *, limit: int, check_after: timedelta, evidence: Evidence | None = None
) -> TakenOver:
    """Take up to ``limit`` Queued runs that are to be checked, so that they are published again.

    Their claim stays the same. Where there is evidence that the message was lost, the next check comes after
    twice the time; where it waits in its queue, it is not published again before the longest time. The call
    of a Celery task whose publication was stamped ends instead, as no worker would drop its second message;
    but for one that was lost, and may be executed twice.
    """
    known, now = evidence or Evidence(), tx.now
    found = [
        (row, judged(_checked(row), known, now=now, check_after=check_after, longest=LONGEST_CHECK))
        for row in _lock_due(tx, limit)
    ]
    lost = [row for row, each in found if each.fate is Fate.LOST]
    ended = [row for row, each in found if each.fate is Fate.ENDS]
    unreported = sum(end_as_published(tx, row.id, row.claim_no) for row in ended)
    _look_again(tx, {row.id: each.again_at for row, each in found if each.fate is Fate.WAITS})
    claims = [
        _claim_of(row, losses=_losses(row, each.fate)) for row, each in found if each.fate in _PUBLISHED_AGAIN
    ]
    _check_later(tx, claims, check_after)
    _forget_stamps(tx, [row.id for row in lost if row.call is not None])
    return TakenOver(claims=claims, unreported=unreported, lost=len(lost))


def miss(tx: Transaction, ticker_id: UUID, claim_no: int) -> bool:
    """Let the next sweep publish a function's claim again, whose message died with a child of its worker.

    Return True if it has not started.
    """
    is_waiting = (*_queued([ticker_id]), tickers.c.claim_no == claim_no, _IS_FUNCTION)
    statement = update(tickers).where(*is_waiting).values(check_at=tx.sql_now(), published_at=None)
    return rowcount(tx, statement) == 1


def _checked(row: _Row) -> Checked:
    is_call = row.call is not None
    return Checked(
        flow=MessageFlow(name=row.function, queue=row.queue, is_call=is_call),
        published_at=row.published_at,
        may_be_repeated=not is_call or row.on_lost == OnLost.RETRY,
        has_children=row.has_children,
    )


def _losses(row: _Row, fate: Fate) -> int:
    """Return how often a claim's message was seen to be lost: waiting lengthens no check."""
    if fate is Fate.LOST or row.published_at is None:
        return int(row.publish_count)
    return max(0, int(row.publish_count) - 1)


def _check_later(tx: Transaction, claims: Sequence[Claim], check_after: timedelta) -> None:
    for losses in {claim.publish_count for claim in claims}:
        alike = [claim.id for claim in claims if claim.publish_count == losses]
        check_at = tx.sql_after(until_check(check_after, losses=losses))
        tx.execute(update(tickers).where(*_queued(alike)).values(check_at=check_at))


def _forget_stamps(tx: Transaction, calls: Sequence[UUID]) -> None:
    """Let calls be stamped again: one that has a stamp is not."""
    if calls:
        tx.execute(update(tickers).where(*_queued(calls)).values(published_at=None))


def _queued(ids: Sequence[UUID]) -> tuple[ColumnElement[bool], ...]:
    return tickers.c.id.in_(list(ids)), tickers.c.status == TickerStatus.QUEUED


def _lock_due(tx: Transaction, limit: int) -> Sequence[_Row]:
    return tx.execute(
        select(
            tickers.c.id,
            tickers.c.claim_no,
            tickers.c.function,
            tickers.c.queue,
            tickers.c.priority,
            *TIMEOUTS,
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


def _is_of(flow: MessageFlow) -> ColumnElement[bool]:
    kind = TickerKind.CELERY_TASK if flow.is_call else TickerKind.FUNCTION
    queue = tickers.c.queue
    return and_(
        tickers.c.function == flow.name,
        tickers.c.kind == kind.value,
        queue.is_(None) if flow.queue is None else queue == flow.queue,
    )


def _look_again(tx: Transaction, checks: Mapping[UUID, datetime | None]) -> None:
    if checks:
        statement = (
            update(tickers)
            .where(tickers.c.id == bindparam("waiting_id"), tickers.c.status == TickerStatus.QUEUED)
            .values(check_at=bindparam("at"))
        )
        tx.execute(statement, [{"waiting_id": id, "at": at or NEVER} for id, at in checks.items()])


def _claim_of(row: _Row, *, losses: int) -> Claim:
    return Claim(
        id=row.id,
        number=row.claim_no,
        function=row.function,
        queue=row.queue,
        priority=TickerPriority(row.priority),
        timeouts=timeouts_from(row),
        publish_count=losses,
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
            .values(check_at=tx.sql_now(), published_at=None)
        )
    return len(ids)
