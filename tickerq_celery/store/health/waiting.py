"""What the store holds of a run that waits, and of the rows that it waits for."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, func, select

from tickerq_celery.enums import (
    HoldReason,
    OnLost,
    RunCondition,
    TickerKind,
    TickerPriority,
    TickerStatus,
    TickerType,
)
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.runs.overlaps import key_of
from tickerq_celery.store.runs.runs import one
from tickerq_celery.store.tables import cron_tickers, functions, tickers
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
    cancel_request: str | None

    @property
    def status_word(self) -> str:
        """What people read of its status: its word, or Published where that is all that is known."""
        return status_word(self.kind, self.status, published_at=self.published_at, started_at=self.started_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingRun(OtherRun):
    """A run, with all that says what it waits for."""

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

    on_lost: OnLost
    rate_free_at: datetime | None
    registered_at: datetime


_WORDS: Mapping[str, type[Any]] = {
    "type": TickerType,
    "kind": TickerKind,
    "held_for": HoldReason,
    "on_lost": OnLost,
    "run_condition": RunCondition,
    "priority": TickerPriority,
    "tags": tuple,
}
OTHER_COLUMNS = tuple(tickers.c[each.name] for each in fields(OtherRun))
_WAITING_COLUMNS = tuple(tickers.c[each.name] for each in fields(WaitingRun))


def find(tx: Transaction, ticker_id: UUID, type: TickerType | None) -> WaitingRun | None:
    """Return a run of this ``type``, or None."""
    row = tx.execute(select(*_WAITING_COLUMNS).where(one(tx.namespace, ticker_id, type))).one_or_none()
    return None if row is None else WaitingRun(**_read(row._asdict()))


def parent_of(tx: Transaction, run: WaitingRun) -> OtherRun | None:
    """Return the run's parent in its chain, or None."""
    return None if run.parent_id is None else _other(tx, tickers.c.id == run.parent_id)


def lock_holder(tx: Transaction, cron_id: UUID) -> OtherRun | None:
    """Return the occurrence that holds a cron ticker's overlap lock, or None."""
    return _other(tx, tickers.c.namespace == tx.namespace, tickers.c.active_key == key_of(cron_id))


def cron_pause(tx: Transaction, cron_id: UUID) -> CronPause | None:
    """Return whether a cron ticker is paused itself."""
    columns = [cron_tickers.c[each.name] for each in fields(CronPause)]
    row = tx.execute(select(*columns).where(cron_tickers.c.id == cron_id)).one_or_none()
    return None if row is None else CronPause(**row._asdict())


def registered(tx: Transaction, function: str) -> Registered | None:
    """Return what is known of a function that any worker of the namespace ever registered."""
    columns = (functions.c.on_lost, functions.c.rate_free_at, functions.c.registered_at)
    among = (functions.c.namespace == tx.namespace, functions.c.name == function)
    row = tx.execute(select(*columns).where(*among)).one_or_none()
    return None if row is None else Registered(**_read(row._asdict()))


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


def is_locked(tx: Transaction, ticker_id: UUID) -> bool:
    """Return True if another transaction has a run's row locked; not known of SQLite, which locks no rows.

    It locks the row itself for a moment: in a transaction of its own that does nothing else.
    """
    stored = tx.scalar(select(tickers.c.id).where(tickers.c.id == ticker_id))
    free = select(tickers.c.id).where(tickers.c.id == ticker_id).with_for_update(skip_locked=True)
    return stored is not None and tx.scalar(free) is None


def other_from(row: Row[Any]) -> OtherRun:
    """Return the run that a row of ``OTHER_COLUMNS`` describes."""
    return OtherRun(**_read(row._asdict()))


def _other(tx: Transaction, *which: ColumnElement[bool]) -> OtherRun | None:
    row = tx.execute(select(*OTHER_COLUMNS).where(*which)).one_or_none()
    return None if row is None else other_from(row)


def _read(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _WORDS[name](value) if name in _WORDS and value is not None else value
        for name, value in values.items()
    }
