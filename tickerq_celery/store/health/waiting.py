"""What the store holds of a run that waits, and of the rows that it waits for."""

from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, case, func, select

from tickerq_celery.enums import (
    RETRIABLE,
    HoldReason,
    OnLost,
    Origin,
    RunCondition,
    TickerKind,
    TickerPriority,
    TickerStatus,
    TickerType,
)
from tickerq_celery.payload.codec import NO_REQUEST, Packed
from tickerq_celery.store.database.batches import in_parts
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.reading.index_scans import limited_union
from tickerq_celery.store.reading.ordered_reads import MOST_READ
from tickerq_celery.store.reading.row_mapping import read_fields
from tickerq_celery.store.runs.overlaps import key_of
from tickerq_celery.store.tables import cron_tickers, functions, tickers
from tickerq_celery.tickers.claims import CancelRequest
from tickerq_celery.tickers.known_outcomes import status_word

# So many held runs are looked at.
_LOOKED_AT = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherRun:
    """A run that another one waits for."""

    id: UUID
    kind: TickerKind
    function: str
    status: TickerStatus
    queue: str | None
    concurrency_key: str | None
    has_children: bool
    due_at: datetime | None
    held_for: HoldReason | None
    check_at: datetime | None
    published_at: datetime | None
    running_on: UUID | None
    lock_holder: str | None
    locked_at: datetime | None
    started_at: datetime | None
    cancel_request: CancelRequest | None

    @property
    def status_word(self) -> str:
        """What people read of its status: its word, or Published where that is all that is known."""
        return status_word(self.kind, self.status, published_at=self.published_at, started_at=self.started_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingRun(OtherRun):
    """A run, with all that says what it waits for; ``packed`` is the request of one that can be retried."""

    packed: Packed
    origin: Origin
    type: TickerType
    claim_no: int
    execution_time: datetime | None
    hold_key: str | None
    held_since: datetime | None
    not_before: datetime | None
    on_lost: OnLost | None
    retries: int
    retry_count: int
    rescue_count: int
    exception_type: str | None
    exception_message: str | None
    skipped_reason: str | None
    parent_id: UUID | None
    run_condition: RunCondition | None
    cron_ticker_id: UUID | None
    instant: datetime | None
    priority: TickerPriority
    tags: tuple[str, ...]
    ended_at: datetime | None
    ended_on: str | None

    @property
    def is_call(self) -> bool:
        """Whether it is the call of a Celery task."""
        return self.kind is TickerKind.CELERY_TASK

    @property
    def is_manual(self) -> bool:
        """Whether it is a manual run of a cron ticker, which no pause holds."""
        return self.cron_ticker_id is not None and self.instant is None


@dataclass(frozen=True, slots=True, kw_only=True)
class CronPause:
    """Whether a cron ticker is paused itself: by whom, why, and since when."""

    id: UUID
    is_enabled: bool
    paused_reason: str | None
    paused_by: str | None
    paused_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """What the store knows of a function that a worker registered once."""

    request_schema: Any
    on_lost: OnLost
    rate_free_at: datetime | None
    registered_at: datetime


_OTHER, _WAITING, _REGISTERED = (
    tuple(each.name for each in fields(kind) if each.name != "packed")
    for kind in (OtherRun, WaitingRun, Registered)
)
OTHER_COLUMNS = tuple(tickers.c[name] for name in _OTHER)
_REQUEST = case((tickers.c.status.in_(RETRIABLE), tickers.c.request)).label("request")
_WAITING_COLUMNS = (*(tickers.c[name] for name in _WAITING), _REQUEST, tickers.c.encoding)


def find(tx: Transaction, ids: Collection[UUID], type: TickerType | None) -> list[WaitingRun]:
    """Return those of ``ids`` that are runs of this ``type``, and let the transaction know the time."""
    columns = [*_WAITING_COLUMNS, tx.sql_now().label("now")]
    here: Select[Any] = select(*columns).where(tickers.c.namespace == tx.namespace)
    here = here if type is None else here.where(tickers.c.type == int(type))
    rows = in_parts(list(ids), lambda part: tx.execute(here.where(tickers.c.id.in_(part))).all())
    if rows:
        tx.now = rows[0].now
    return [_waiting(row) for row in rows]


def _waiting(row: Row[Any]) -> WaitingRun:
    packed = NO_REQUEST if row.request is None else Packed(row.request, row.encoding)
    return WaitingRun(**read_fields(row, _WAITING), packed=packed)


def parent_of(tx: Transaction, run: WaitingRun) -> OtherRun | None:
    """Return the run's parent in its chain, or None."""
    return None if run.parent_id is None else _other(tx, tickers.c.id == run.parent_id)


def lock_holder(tx: Transaction, cron_id: UUID) -> OtherRun | None:
    """Return the occurrence that holds a cron ticker's overlap lock, or None."""
    return _other(tx, tickers.c.namespace == tx.namespace, tickers.c.active_key == key_of(cron_id))


def cron_pauses(tx: Transaction, ids: Collection[UUID]) -> dict[UUID, CronPause]:
    """Return whether cron tickers are paused themselves, by their ids."""
    columns = [cron_tickers.c[each.name] for each in fields(CronPause)]
    rows = in_parts(
        list(ids), lambda part: tx.execute(select(*columns).where(cron_tickers.c.id.in_(part))).all()
    )
    return {row.id: CronPause(**row._asdict()) for row in rows}


def registered(tx: Transaction, names: Collection[str]) -> dict[str, Registered]:
    """Return what is known of those functions that any worker of the namespace ever registered."""
    columns = [functions.c.name, *(functions.c[name] for name in _REGISTERED)]
    here = select(*columns).where(functions.c.namespace == tx.namespace)
    rows = in_parts(list(names), lambda part: tx.execute(here.where(functions.c.name.in_(part))).all())
    return {row.name: Registered(**read_fields(row, _REGISTERED)) for row in rows}


def held_first(tx: Transaction, function: str) -> datetime | None:
    """Return since when runs of a function have been held for want of a worker, about; None where none is."""
    first = (
        select(tickers.c.held_since)
        .where(
            tickers.c.held_for == HoldReason.FUNCTION.value,
            tickers.c.hold_key == function,
            tickers.c.namespace == tx.namespace,
        )
        # In the order of the index: the oldest of each priority come first.
        .order_by(tickers.c.priority, tickers.c.id)
        .limit(_LOOKED_AT)
        .subquery()
    )
    since: datetime | None = tx.scalar(select(func.min(first.c.held_since)))
    return since


def first_held(tx: Transaction, function: str, reasons: Collection[HoldReason]) -> list[UUID]:
    """Return of each reason the first run of a function that is held for it, among the first 2,000 runs."""
    t, parts = tickers.c, []
    for reason in reasons:
        # In the order of the index.
        held = (
            select(t.id, t.namespace, t.function, t.hold_key, t.priority)
            .where(t.held_for == reason.value)
            .order_by(t.hold_key, t.priority, t.id)
            .limit(MOST_READ)
        ).subquery()
        its = select(held.c.id).where(held.c.namespace == tx.namespace, held.c.function == function)
        parts.append(its.order_by(held.c.hold_key, held.c.priority, held.c.id).limit(1))
    if not parts:
        return []
    dialect = tx.connection.dialect.name
    return list(tx.scalars(parts[0] if len(parts) == 1 else limited_union(dialect, parts)))


def is_locked(tx: Transaction, ticker_id: UUID) -> bool:
    """Return True if another transaction has a run's row locked; not known of SQLite, which locks no rows.

    It locks the row itself for a moment: in a transaction of its own that does nothing else.
    """
    stored = tx.scalar(select(tickers.c.id).where(tickers.c.id == ticker_id))
    free = select(tickers.c.id).where(tickers.c.id == ticker_id).with_for_update(skip_locked=True)
    return stored is not None and tx.scalar(free) is None


def other_from(row: Row[Any]) -> OtherRun:
    """Return the run that a row of ``OTHER_COLUMNS`` describes."""
    return OtherRun(**read_fields(row, _OTHER))


def _other(tx: Transaction, *which: ColumnElement[bool]) -> OtherRun | None:
    row = tx.execute(select(*OTHER_COLUMNS).where(*which)).one_or_none()
    return None if row is None else other_from(row)
