"""Claims of due runs and their starts, each write guarded by the status and the claim number."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, and_, case, select, update
from sqlalchemy.sql.dml import Update

from tickerq_celery.clock import Clock
from tickerq_celery.codec import NO_REQUEST, Packed
from tickerq_celery.enums import CancelRequest, TickerPriority, TickerStatus, TickerType
from tickerq_celery.lifecycle import Standing
from tickerq_celery.models import tickers
from tickerq_celery.retry import RetryPolicy
from tickerq_celery.slot import Slot, slot_of
from tickerq_celery.sqltypes import sql_after, sql_now
from tickerq_celery.store.calls import CALL, call_from
from tickerq_celery.timeouts import UNLIMITED, Timeouts


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A due run that this transaction has locked; ``call`` is None unless it is a Celery task's."""

    id: UUID
    claim_no: int
    function: str
    queue: str | None
    concurrency_key: str | None
    priority: TickerPriority
    due_at: datetime
    cron_ticker_id: UUID | None
    instant: datetime | None
    timeout: float | None = None
    hard_timeout: float | None = None
    call: Packed | None = None

    @property
    def slot(self) -> Slot | None:
        """What it shares places with, or None where it names no concurrency key."""
        return slot_of(self.function, self.concurrency_key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A run taken for publishing; ``number`` is the fence of every later write.

    One with a ``call`` is published as a plain message of a Celery task, and ended by its stamp.
    """

    id: UUID
    number: int
    function: str
    queue: str | None
    priority: TickerPriority = TickerPriority.NORMAL
    timeouts: Timeouts = UNLIMITED
    due_at: datetime | None = None
    publish_count: int = 0
    call: Packed | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A run whose attempt this worker may execute."""

    id: UUID
    claim_no: int
    type: TickerType
    function: str
    queue: str | None
    concurrency_key: str | None
    request: Packed
    execution_time: datetime | None
    parent_id: UUID | None
    cron_ticker_id: UUID | None
    has_children: bool
    instant: datetime | None
    active_key: str | None
    started_at: datetime
    attempts_before: int
    standing: Standing
    parent_result: bytes | None = None
    cancel_request: CancelRequest | None = None

    @property
    def slot(self) -> Slot | None:
        """What it shares places with, or None where it names no concurrency key."""
        return slot_of(self.function, self.concurrency_key)

    @property
    def attempt_number(self) -> int:
        """The number of the attempt, from 0."""
        return self.attempts_before + self.standing.retry_count + self.standing.rescue_count


def lock_due(
    connection: Connection, clock: Clock, *, namespace: str, limit: int, ids: Collection[UUID] | None = None
) -> list[Due]:
    """Lock up to ``limit`` due runs, oldest first, passing over those that another claim holds.

    ``ids`` narrows to those runs; an empty collection locks none.
    """
    statement = (
        select(*due_columns(due_at=tickers.c.due_at))
        .where(tickers.c.namespace == namespace, tickers.c.due_at <= sql_now(clock))
        .order_by(tickers.c.due_at, tickers.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    if ids is not None:
        statement = statement.where(tickers.c.id.in_(list(ids)))
    return [due_from(row) for row in connection.execute(statement)]


def due_columns(*, due_at: ColumnElement[Any]) -> list[ColumnElement[Any]]:
    """Return what must be read of a run that may be claimed, with its due moment."""
    names = (name for name in Due.__slots__ if name != "call")
    return [*(due_at if name == "due_at" else tickers.c[name] for name in names), *CALL]


def due_from(row: Row[Any]) -> Due:
    """Return the run that a row of the columns above describes."""
    values = {name: getattr(row, name) for name in Due.__slots__}
    return Due(**values | {"priority": TickerPriority(row.priority), "call": call_from(row)})


def claim(
    connection: Connection,
    clock: Clock,
    due: Sequence[Due],
    *,
    holder: str,
    late_after: timedelta,
    publish_check: timedelta,
) -> list[Claim]:
    """Take runs that this transaction locked, Idle to Queued, with the next claim number; urgent first."""
    if not due:
        return []
    first_and_late = (tickers.c.claim_no == 0) & (tickers.c.due_at < sql_after(clock, -late_after))
    statement = (
        update(tickers)
        .where(tickers.c.id.in_([run.id for run in due]), tickers.c.status == TickerStatus.IDLE)
        # MariaDB assigns from left to right: what reads an old value stands before what replaces it.
        .ordered_values(
            (tickers.c.is_due, case((first_and_late, True), else_=tickers.c.is_due)),
            (tickers.c.claim_no, tickers.c.claim_no + 1),
            (tickers.c.status, TickerStatus.QUEUED),
            (tickers.c.due_at, None),
            (tickers.c.held_for, None),
            (tickers.c.hold_key, None),
            (tickers.c.check_at, sql_after(clock, publish_check)),
            (tickers.c.publish_count, 0),
            (tickers.c.published_at, None),
            (tickers.c.lock_holder, holder),
            (tickers.c.locked_at, sql_now(clock)),
            (tickers.c.updated_at, sql_now(clock)),
        )
    )
    taken = rowcount(connection, statement)
    if taken != len(due):
        raise AssertionError(f"claimed {taken} of {len(due)} locked runs")
    ordered = sorted(due, key=lambda run: (run.priority, run.due_at, run.id))
    return [
        Claim(
            id=run.id,
            number=run.claim_no + 1,
            function=run.function,
            queue=run.queue,
            priority=run.priority,
            timeouts=Timeouts(soft=run.timeout, hard=run.hard_timeout),
            due_at=run.due_at,
            call=run.call,
        )
        for run in ordered
    ]


def lock_free(connection: Connection, ids: Collection[UUID]) -> set[UUID]:
    """Lock those of ``ids`` that no other transaction has locked, and return them.

    A process that stands still in its transaction keeps its locks: who has other work never waits for them.
    """
    if not ids:
        return set()
    free = select(tickers.c.id).where(tickers.c.id.in_(list(ids))).with_for_update(skip_locked=True)
    return set(connection.scalars(free))


def start(
    connection: Connection, clock: Clock, *, ticker_id: UUID, claim_no: int, node_id: UUID, node: str
) -> Started | None:
    """Let this worker execute the claim, or return None where another did, or the claim is stale."""
    taken = rowcount(
        connection,
        update(tickers)
        .where(
            tickers.c.id == ticker_id,
            tickers.c.claim_no == claim_no,
            tickers.c.status == TickerStatus.QUEUED,
        )
        .values(
            status=TickerStatus.IN_PROGRESS,
            running_on=node_id,
            lock_holder=node,
            check_at=None,
            # A version that knows nothing of it may have left it.
            cancel_request=None,
            started_at=sql_now(clock),
            progress=None,
            progress_message=None,
            updated_at=sql_now(clock),
        ),
    )
    if taken != 1:
        return None
    columns = (*STARTED, tickers.c.request, tickers.c.encoding)
    row = connection.execute(select(*columns).where(tickers.c.id == ticker_id)).one()
    return started(row, Packed(row.request, row.encoding))


STARTED: tuple[ColumnElement[Any], ...] = (
    tickers.c.id,
    tickers.c.claim_no,
    tickers.c.type,
    tickers.c.function,
    tickers.c.queue,
    tickers.c.concurrency_key,
    tickers.c.execution_time,
    tickers.c.parent_id,
    tickers.c.cron_ticker_id,
    tickers.c.has_children,
    tickers.c.instant,
    tickers.c.active_key,
    tickers.c.started_at,
    tickers.c.attempts_before,
    tickers.c.is_due,
    tickers.c.retries,
    tickers.c.retry_intervals,
    tickers.c.retry_count,
    tickers.c.rescue_count,
    tickers.c.cancel_request,
)


def running_under(connection: Connection, node_id: UUID, *, limit: int) -> list[Started]:
    """Return up to ``limit`` runs that are InProgress under a node, without their requests."""
    rows = connection.execute(select(*STARTED).where(tickers.c.running_on == node_id).limit(limit))
    return [started(row) for row in rows]


def started(row: Row[Any], request: Packed = NO_REQUEST) -> Started:
    """Return the run that a row of the columns above describes; only who executes it needs the request."""
    intervals = tuple(timedelta(seconds=seconds) for seconds in row.retry_intervals)
    return Started(
        id=row.id,
        claim_no=row.claim_no,
        type=TickerType(row.type),
        function=row.function,
        queue=row.queue,
        concurrency_key=row.concurrency_key,
        request=request,
        execution_time=row.execution_time,
        parent_id=row.parent_id,
        cron_ticker_id=row.cron_ticker_id,
        has_children=row.has_children,
        instant=row.instant,
        active_key=row.active_key,
        started_at=row.started_at,
        attempts_before=row.attempts_before,
        standing=Standing(
            retry_count=row.retry_count,
            rescue_count=row.rescue_count,
            is_due=row.is_due,
            policy=RetryPolicy(limit=row.retries, intervals=intervals),
        ),
        cancel_request=None if row.cancel_request is None else CancelRequest(row.cancel_request),
    )


def rowcount(connection: Connection, statement: Update) -> int:
    """Return how many rows an update matched."""
    return connection.execute(statement).rowcount


def is_running(ticker_id: UUID, claim_no: int) -> ColumnElement[bool]:
    """Return what is true of a run whose last claim this is, and is InProgress."""
    return and_(
        tickers.c.id == ticker_id,
        tickers.c.claim_no == claim_no,
        tickers.c.status == TickerStatus.IN_PROGRESS,
    )


def running(connection: Connection, ticker_id: UUID, claim_no: int) -> Started | None:
    """Return the run, without its request, if this claim is InProgress, or None."""
    row = connection.execute(select(*STARTED).where(is_running(ticker_id, claim_no))).one_or_none()
    return None if row is None else started(row)
