"""Cron tickers that are due: lock them, those on time apart from those that are late, and move them on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ColumnElement, case, func, literal, select, update

from tickerq_celery.store.database.transaction import Transaction, rowcount
from tickerq_celery.store.reading.row_mapping import cron_row
from tickerq_celery.store.tables import cron_tickers
from tickerq_celery.tickers.cron_rows import CronRow

_T = cron_tickers.c


@dataclass(frozen=True, slots=True, kw_only=True)
class CronStep:
    """The step of a locked cron ticker from the instant that was ``seen`` to its next one.

    ``runs`` is how many instants got their occurrence; for ``catch_up_until`` see its column.
    """

    cron_id: UUID
    seen: datetime
    next_run_at: datetime | None
    catch_up_until: datetime | None
    last_run_at: datetime | None
    runs: int


def lock_on_time(tx: Transaction, *, late_after: timedelta, limit: int) -> list[CronRow]:
    """Lock cron tickers whose next instant has come, ``late_after`` ago at most; the oldest first.

    Passes over those locked elsewhere. A paused one has no next instant, also where the pause committed while
    this looked for its row.
    """
    return _lock(tx, _T.next_run_at <= tx.sql_now(), _T.next_run_at >= tx.sql_after(-late_after), limit=limit)


def lock_late(tx: Transaction, *, late_after: timedelta, limit: int) -> list[CronRow]:
    """Lock cron tickers whose next instant came more than ``late_after`` ago, as after an outage.

    The oldest first: each step of a catch-up leaves its cron ticker behind the others.
    """
    return _lock(tx, _T.next_run_at < tx.sql_after(-late_after), limit=limit)


def _lock(tx: Transaction, *which: ColumnElement[bool], limit: int) -> list[CronRow]:
    statement = (
        select(cron_tickers)
        .where(_T.namespace == tx.namespace, *which)
        .order_by(_T.next_run_at, _T.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [cron_row(row) for row in tx.execute(statement)]


def advance(tx: Transaction, steps: Sequence[CronStep]) -> None:
    """Move locked cron tickers on, each from the instant that was seen, in one statement.

    Raises:
        AssertionError: One of them is not at that instant, although this transaction has locked it.
    """
    if not steps:
        return
    statement = (
        update(cron_tickers)
        .where(
            _T.id.in_([each.cron_id for each in steps]),
            _T.next_run_at == _of_each(steps, _T.next_run_at, [each.seen for each in steps]),
        )
        .values(
            next_run_at=_of_each(steps, _T.next_run_at, [each.next_run_at for each in steps]),
            catch_up_until=_of_each(steps, _T.catch_up_until, [each.catch_up_until for each in steps]),
            last_run_at=func.coalesce(
                _of_each(steps, _T.last_run_at, [each.last_run_at for each in steps]), _T.last_run_at
            ),
            run_count=_T.run_count + _of_each(steps, _T.run_count, [each.runs for each in steps]),
        )
    )
    moved = rowcount(tx, statement)
    if moved != len(steps):
        raise AssertionError(f"moved {moved} of {len(steps)} locked cron tickers on")


def _of_each(steps: Sequence[CronStep], column: Column[Any], values: Sequence[object]) -> ColumnElement[Any]:
    """Return the value of all steps, or an expression for that of each, by its id.

    Not by ``update_columns``, which compares no value of each row.
    """
    first, *others = values
    if all(each == first for each in others):
        return literal(first, column.type)
    own = zip(steps, values, strict=True)
    return case(*((_T.id == step.cron_id, literal(value, column.type)) for step, value in own))
