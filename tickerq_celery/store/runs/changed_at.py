"""When a row changed the last time, which never goes back: versions are made of it.

An edit is said to be later than what it has changed, also within one tick of the clock. So what is written
next may come before it, by the clock.
"""

from datetime import datetime

from sqlalchemy import Column, ColumnElement, case, literal

from tickerq_celery.clock import Clock
from tickerq_celery.enums import TickerStatus
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.tables import tickers
from tickerq_celery.store.tables.column_types import UtcDateTime, sql_now
from tickerq_celery.tickers.terminal import terminal
from tickerq_celery.tickers.versions import after_change


def not_before(column: Column[datetime], moment: ColumnElement[datetime]) -> ColumnElement[datetime]:
    """Return a moment, or what the column of a row holds where that is later."""
    return case((column > moment, column), else_=moment)


def changed_at(clock: Clock) -> ColumnElement[datetime]:
    """Return when a run changes by this statement."""
    return not_before(tickers.c.updated_at, sql_now(clock))


def later_than(tx: Transaction, seen: datetime) -> ColumnElement[datetime]:
    """Return the same, and later than a change that was ``seen``."""
    return not_before(tickers.c.updated_at, literal(after_change(seen, tx.now), UtcDateTime()))


def end_columns(
    clock: Clock,
    status: TickerStatus | ColumnElement[TickerStatus],
    reason: str | ColumnElement[str] | None = None,
) -> dict[str, object]:
    """Return the columns that the end of a run sets; ``reason`` is why it was not executed."""
    return terminal(status, sql_now(clock), reason).columns() | {"updated_at": changed_at(clock)}
