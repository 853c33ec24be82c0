"""Functions that are waited for: runs are held until a live worker has them, or cron tickers name them."""

from collections.abc import Iterator

from sqlalchemy import ColumnElement, exists, or_, select

from tickerq_celery.enums import HoldReason, TickerKind
from tickerq_celery.store import active_runs, held_runs
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.loose_scans import one_of_each
from tickerq_celery.store.tables import cron_tickers, tickers

_MOST = 200


def names(tx: Transaction, *, after: str) -> set[str]:
    """Return the functions behind ``after`` that are waited for, whether or not a worker registered them.

    It looks at the first 200 functions for which runs are held, and at the first 200 of cron tickers.
    """
    held = held_runs.keys(tx, HoldReason.FUNCTION, most=_MOST, after=after)
    return {*held, *_of_crons(tx, after)}


def _of_crons(tx: Transaction, after: str) -> Iterator[str]:
    """Yield the functions behind ``after`` that cron tickers name."""
    c = cron_tickers.c
    named = select(c.function, c.kind).where(c.namespace == tx.namespace).order_by(c.function, c.id)
    for row in one_of_each(tx, named, c.function, after=after, most=_MOST):
        # A Celery task may have the name of a function.
        if row.kind == TickerKind.FUNCTION.value or tx.scalar(select(_is_of_cron(tx, row.function))):
            yield row.function


def _is_of_cron(tx: Transaction, name: str) -> ColumnElement[bool]:
    """Return what is true of a function that a cron ticker names, and false of a Celery task."""
    return exists().where(
        cron_tickers.c.namespace == tx.namespace,
        cron_tickers.c.function == name,
        cron_tickers.c.kind == TickerKind.FUNCTION.value,
    )


def is_awaited(tx: Transaction, name: str) -> bool:
    """Return True if runs are held for a function that no live worker has, or a cron ticker names it."""
    held = exists().where(
        active_runs.own(tx), tickers.c.held_for == HoldReason.FUNCTION.value, tickers.c.hold_key == name
    )
    return bool(tx.execute(select(or_(held, _is_of_cron(tx, name)))).scalar_one())
