"""Functions that are waited for: runs are held until a live worker has them, or cron tickers name them."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from sqlalchemy import ColumnElement, exists, or_, select

from tickerq_celery.enums import HoldReason, TickerKind
from tickerq_celery.store.database.batches import in_parts
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.reading import active_runs
from tickerq_celery.store.reading.name_gaps import Gap, NamedRows, NameScan, names_in
from tickerq_celery.store.tables import cron_tickers, tickers

_MOST = 200


def names(tx: Transaction, gaps: Sequence[Gap]) -> set[str]:
    """Return the functions in some gaps between those that workers registered which are waited for.

    It looks at about the first 200 functions there for which runs are held, and at as many of cron tickers.
    """
    t = tickers.c
    held = select(t.hold_key).where(active_runs.own(tx), t.held_for == HoldReason.FUNCTION.value)
    waiting = names_in(tx, NameScan(rows=held.order_by(t.hold_key), name=t.hold_key), gaps, most=_MOST)
    return {*(each.name for each in waiting), *_of_crons(tx, gaps)}


def _of_crons(tx: Transaction, gaps: Sequence[Gap]) -> Iterator[str]:
    """Yield the functions that cron tickers name."""
    c = cron_tickers.c
    named = select(c.function, c.kind).where(c.namespace == tx.namespace).order_by(c.function, c.id)
    unsure = []
    for each in names_in(tx, NameScan(rows=named, name=c.function), gaps, most=_MOST):
        if _is_function(each):
            yield each.name
        elif not each.is_whole:
            unsure.append(each.name)
    # A Celery task may have the name of a function.
    yield from _those(tx, {each: _is_of_cron(tx, each) for each in unsure})


def _is_function(named: NamedRows) -> bool:
    return any(row.kind == TickerKind.FUNCTION.value for row in named.rows)


def _is_of_cron(tx: Transaction, name: str) -> ColumnElement[bool]:
    """Return what is true of a function that a cron ticker names, and false of a Celery task."""
    return exists().where(
        cron_tickers.c.namespace == tx.namespace,
        cron_tickers.c.function == name,
        cron_tickers.c.kind == TickerKind.FUNCTION.value,
    )


def awaited_among(tx: Transaction, names: Collection[str]) -> set[str]:
    """Return the functions for which runs are held that no live worker has, or that a cron ticker names."""
    return set(_those(tx, {each: or_(_is_held(tx, each), _is_of_cron(tx, each)) for each in names}))


def _is_held(tx: Transaction, name: str) -> ColumnElement[bool]:
    return exists().where(
        active_runs.own(tx), tickers.c.held_for == HoldReason.FUNCTION.value, tickers.c.hold_key == name
    )


def _those(tx: Transaction, conditions: Mapping[str, ColumnElement[bool]]) -> Iterator[str]:
    """Yield the names whose conditions are true."""
    are = in_parts(list(conditions.values()), lambda some: tx.execute(select(*some)).one())
    yield from (name for name, is_one in zip(conditions, are, strict=True) if is_one)
