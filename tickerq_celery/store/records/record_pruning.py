"""Delete expired rows of the audit and of the roll-up, and expired bulk jobs."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ColumnElement, bindparam, delete, func, select

from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.records.audit import entry_of
from tickerq_celery.store.tables import audit, bulk, rollups
from tickerq_celery.tickers.audit import AuditEntry
from tickerq_celery.tickers.tallies import HOURS

# Shorter periods go as ends are counted.
_IS_HOUR = rollups.c.minutes == HOURS.minutes


def lock_audit(tx: Transaction, after: timedelta, limit: int) -> Sequence[AuditEntry]:
    """Lock the oldest entries of the audit that are older than ``after``, and return them."""
    statement = select(audit).where(*_before(tx, audit.c.at, after)).order_by(audit.c.at, audit.c.id)
    return [entry_of(row) for row in tx.execute(statement.limit(limit).with_for_update(skip_locked=True))]


def remove_audit(tx: Transaction, ids: Sequence[UUID]) -> None:
    """Delete rows of the audit."""
    if ids:
        tx.execute(delete(audit).where(audit.c.id.in_(ids)))


def remove_bulk(tx: Transaction, after: timedelta, limit: int) -> int:
    """Delete bulk jobs that ended longer ago than ``after``; return how many."""
    old = select(bulk.c.id).where(*_before(tx, bulk.c.ended_at, after)).limit(limit)
    ids = tx.scalars(old.with_for_update(skip_locked=True)).all()
    if ids:
        tx.execute(delete(bulk).where(bulk.c.id.in_(ids)))
    return len(ids)


def remove_rollups(tx: Transaction, after: timedelta, limit: int) -> int:
    """Delete rows of the roll-up whose hours are older than ``after``; return how many."""
    key, begin = list(rollups.primary_key.columns), rollups.c.begins_at
    old = select(*key).where(_IS_HOUR, *_before(tx, begin, after)).order_by(begin).limit(limit)
    found = tx.execute(old.with_for_update(skip_locked=True)).mappings()
    keys = [{f"its_{name}": value for name, value in row.items()} for row in found]
    if keys:
        # One by one: MariaDB looks at every row, locked or not, where a list of keys is wanted.
        tx.execute(
            delete(rollups).where(*(column == bindparam(f"its_{column.name}") for column in key)), keys
        )
    return len(keys)


def count_rollups(tx: Transaction, after: timedelta) -> int:
    """Return how many rows of the roll-up are of hours older than ``after``."""
    return _count(tx, rollups.c.begins_at, after, _IS_HOUR)


def count_audit(tx: Transaction, after: timedelta) -> int:
    """Return how many rows of the audit are older than ``after``."""
    return _count(tx, audit.c.at, after)


def count_bulk(tx: Transaction, after: timedelta) -> int:
    """Return how many bulk jobs ended longer ago than ``after``."""
    return _count(tx, bulk.c.ended_at, after)


def _count(tx: Transaction, moment: Column[Any], after: timedelta, *conditions: ColumnElement[bool]) -> int:
    counted = select(func.count()).select_from(moment.table).where(*_before(tx, moment, after), *conditions)
    return tx.scalars(counted).one()


def _before(tx: Transaction, moment: Column[Any], after: timedelta) -> list[ColumnElement[bool]]:
    return [moment.table.c.namespace == tx.namespace, moment < tx.sql_after(-after)]
