"""Rate limits: when the next runs of a function may be claimed, and those that wait for it."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, case, func, select, update

from tickerq_celery.enums import HoldReason
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.reading import active_runs
from tickerq_celery.store.runs.claims import due_columns, due_from
from tickerq_celery.store.runs.holds import keys_held
from tickerq_celery.store.tables import functions, tickers
from tickerq_celery.tickers.claims import Due


def ready(tx: Transaction, among: Collection[str] | None) -> Select[str]:
    """Return the query for the functions of which runs wait for the rate and may be claimed now.

    ``among`` narrows to those names; None means all.
    """
    free = functions.c.rate_free_at.is_(None) | (functions.c.rate_free_at <= tx.sql_now())
    statement = select(functions.c.name).where(*_waited_for(tx), free)
    if among is not None:
        statement = statement.where(functions.c.name.in_(list(among)))
    return statement


def next_ready(tx: Transaction) -> Select[datetime]:
    """Return the query for when runs that wait for a rate may be claimed next, NULL where none waits."""
    moment = func.coalesce(functions.c.rate_free_at, functions.c.registered_at)
    return select(func.min(moment)).where(*_waited_for(tx))


def _waited_for(tx: Transaction) -> tuple[ColumnElement[bool], ...]:
    # Whether the function still has a rate does not matter: an older worker may have held them.
    return functions.c.namespace == tx.namespace, functions.c.name.in_(keys_held(tx, HoldReason.RATE))


def lock_waiting(tx: Transaction, function: str, *, limit: int) -> Sequence[Due]:
    """Lock the next runs that wait for a function's rate, due from now on: by priority, then the oldest."""
    statement = (
        select(*due_columns(due_at=tx.sql_now().label("due_at")))
        .where(
            tickers.c.held_for == HoldReason.RATE.value,
            tickers.c.hold_key == function,
            active_runs.own(tx),
        )
        .order_by(tickers.c.priority, tickers.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [due_from(row) for row in tx.execute(statement)]


def wait_after(tx: Transaction, waits: Mapping[str, timedelta]) -> None:
    """Note that runs of functions, whose rows this transaction has locked, are claimed now."""
    if not waits:
        return
    moments = case(*((functions.c.name == name, tx.sql_after(wait)) for name, wait in waits.items()))
    tx.execute(
        update(functions)
        .where(functions.c.namespace == tx.namespace, functions.c.name.in_(list(waits)))
        .values(rate_free_at=moments)
    )
