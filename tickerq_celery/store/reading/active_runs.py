"""Runs that have not ended, found by the columns that are set meanwhile: their indexes hold nothing else."""

from collections.abc import Collection, Iterator, Sequence

from sqlalchemy import ColumnElement, or_

from tickerq_celery.enums import TickerStatus
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.reading.index_scans import EARLIEST, LEAST_ID, unindexed
from tickerq_celery.store.tables import tickers

# InProgress, and no other run; the other two are Idle, which nothing else is.
IS_RUNNING = tickers.c.running_on > LEAST_ID
# Queued, and no other run.
IS_QUEUED = tickers.c.check_at >= EARLIEST
IS_DUE = tickers.c.due_at >= EARLIEST
IS_HELD = tickers.c.held_for > ""
BY_STATUS = {
    TickerStatus.IDLE: or_(IS_DUE, IS_HELD),
    TickerStatus.QUEUED: IS_QUEUED,
    TickerStatus.IN_PROGRESS: IS_RUNNING,
}


def own(tx: Transaction, *also: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return what is true of the namespace's runs that meet conditions, without an index of any of these.

    SQLite would take that for the better one, and with it read all runs of the namespace or function.
    """
    return unindexed(tickers.c.namespace == tx.namespace, *also)


def parts(tx: Transaction, statuses: Collection[TickerStatus]) -> Iterator[Sequence[ColumnElement[bool]]]:
    """Return the conditions of the namespace's runs of these statuses, by the index that finds them.

    None of the statuses is one of runs that have ended; no run is of two parts.
    """
    if TickerStatus.IDLE in statuses:
        yield tickers.c.namespace == tx.namespace, IS_DUE
        yield own(tx), IS_HELD
    if TickerStatus.QUEUED in statuses:
        yield own(tx), IS_QUEUED
    if TickerStatus.IN_PROGRESS in statuses:
        yield own(tx), IS_RUNNING
