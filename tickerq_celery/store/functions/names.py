"""The names of functions and Celery tasks that are known, read from indexes of names."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, or_, select

from tickerq_celery.enums import HoldReason, TickerKind
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.functions import awaited_functions
from tickerq_celery.store.reading import active_runs
from tickerq_celery.store.tables import cron_tickers, functions, tickers
from tickerq_celery.tickers.function_names import FunctionName, having

# Of each kind so many parts of so many rows: 10,000 names, fewer where thousands of rows have the same.
_PARTS, _AT_ONCE = 5, 2_000


def find(tx: Transaction, texts: Collection[str], *, limit: int) -> tuple[FunctionName, ...]:
    """Return the names that have all texts, in any case, of what is registered or waited for.

    No index finds a part of a name: so the names are read and compared, and of the tables of cron tickers and
    runs nothing but these.
    """
    f, c, t = functions.c, cron_tickers.c, tickers.c
    registered = _names(tx, select(f.name).where(f.namespace == tx.namespace).order_by(f.name), f.name)
    named = select(c.function).where(c.namespace == tx.namespace).order_by(c.function, c.id)
    held = select(t.hold_key).where(active_runs.own(tx), t.held_for == HoldReason.FUNCTION.value)
    known = registered | _names(tx, named, c.function) | _names(tx, held.order_by(t.hold_key), t.hold_key)
    found = having(known, texts)[:limit]
    functions_too = registered | awaited_functions.awaited_among(
        tx, [each for each in found if each not in registered]
    )
    return tuple(FunctionName(name=name, is_function=name in functions_too) for name in found)


def is_task_named(tx: Transaction, name: str) -> bool:
    """Return True if a cron ticker or a run, whatever became of it, names a Celery task."""
    stored = [
        exists().where(
            table.c.namespace == tx.namespace,
            table.c.function == name,
            table.c.kind == TickerKind.CELERY_TASK.value,
        )
        for table in (cron_tickers, tickers)
    ]
    return bool(tx.execute(select(or_(*stored))).scalar_one())


def _names(tx: Transaction, rows: Select[Any], name: ColumnElement[Any]) -> set[str]:
    """Return the names of rows in their order: each part goes on behind the last name of the one before."""
    found: set[str] = set()
    after = ""
    for _ in range(_PARTS):
        part = tx.scalars(rows.where(name > after).limit(_AT_ONCE)).all()
        found.update(part)
        if len(part) < _AT_ONCE:
            break
        after = part[-1]
    return found
