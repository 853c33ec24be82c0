"""Cron tickers that wait for the end of a pause of their function, a tag of theirs or everything."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select, update

from tickerq_celery.clock import Clock
from tickerq_celery.store.database.batches import in_parts, write_in_parts
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.reading.row_mapping import cron_row
from tickerq_celery.store.runs.changed_at import not_before
from tickerq_celery.store.tables import cron_tickers
from tickerq_celery.store.tables.column_types import sql_now
from tickerq_celery.tickers.cron_rows import CronRow
from tickerq_celery.tickers.pauses import Pause, covering

_COVERED_BY = (cron_tickers.c.id, cron_tickers.c.function, cron_tickers.c.tags)
_IS_SUSPENDED = and_(
    cron_tickers.c.next_run_at.is_(None),
    cron_tickers.c.is_enabled.is_(True),
    cron_tickers.c.resume_from.is_not(None),
)


def suspend(tx: Transaction, ids: Sequence[UUID], pause: Pause) -> None:
    """Let locked cron tickers wait for the end of a pause."""
    _write(
        tx,
        ids,
        # In this order: MariaDB has each assignment read what the ones before it wrote.
        ("resume_from", func.coalesce(cron_tickers.c.next_run_at, cron_tickers.c.resume_from)),
        ("next_run_at", None),
        ("paused_reason", pause.reason),
        ("paused_by", pause.paused_by),
        ("paused_at", pause.paused_at),
    )


def suspend_due(tx: Transaction, pause: Pause) -> None:
    """Suspend what a pause covers and is due, where no beat has come to do it since then."""
    suspend(tx, _lock(tx, _is_due(tx.clock), pause), pause)


def resume_as_missed(tx: Transaction, ended: Pause, others: Sequence[Pause]) -> None:
    """Let what only an ended pause covered fire from where it stood when it was suspended."""
    # With those that are due, as a beat may be suspending them right now: this waits until it has.
    free = _lock(tx, or_(_IS_SUSPENDED, _is_due(tx.clock)), ended, but=others)
    _write(
        tx,
        free,
        ("next_run_at", func.coalesce(cron_tickers.c.next_run_at, cron_tickers.c.resume_from)),
        ("resume_from", None),
        ("paused_reason", None),
        ("paused_by", None),
        ("paused_at", None),
    )


def lock_suspended(tx: Transaction, *, after: UUID | None, limit: int) -> list[CronRow]:
    """Lock up to ``limit`` cron tickers that are suspended, by their ids, passing over locked ones."""
    statement = (
        select(cron_tickers)
        .where(cron_tickers.c.namespace == tx.namespace, _IS_SUSPENDED)
        .order_by(cron_tickers.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    if after is not None:
        statement = statement.where(cron_tickers.c.id > after)
    return [cron_row(row) for row in tx.execute(statement)]


def _is_due(clock: Clock) -> ColumnElement[bool]:
    return cron_tickers.c.next_run_at <= sql_now(clock)


def _lock(
    tx: Transaction,
    which: ColumnElement[bool],
    pause: Pause,
    *,
    but: Sequence[Pause] = (),
) -> list[UUID]:
    """Lock the cron tickers that a pause covers, ``but`` for those of others."""
    # Read before they are locked by their ids: what the pause does not cover must not wait, and
    # MariaDB locks all that a search passes.
    found = tx.execute(select(*_COVERED_BY).where(cron_tickers.c.namespace == tx.namespace, which))
    covered = [
        row.id
        for row in found
        if pause.covers(row.function, row.tags) and covering(but, row.function, row.tags) is None
    ]
    locking = select(cron_tickers.c.id).where(which).order_by(cron_tickers.c.id).with_for_update()
    return in_parts(
        sorted(covered),
        lambda part: tx.scalars(locking.where(cron_tickers.c.id.in_(part))).all(),
    )


def _write(tx: Transaction, ids: Sequence[UUID], *changes: tuple[str, Any]) -> None:
    statement = update(cron_tickers).ordered_values(
        *changes, ("updated_at", not_before(cron_tickers.c.updated_at, tx.sql_now()))
    )
    write_in_parts(tx, statement, cron_tickers.c.id, ids)
