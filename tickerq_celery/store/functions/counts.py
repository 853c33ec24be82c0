"""Count the active runs of each function by the indexes that hold nothing else, each to a bound."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, literal_column, select, union_all

from tickerq_celery.enums import HoldReason, TickerKind
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.reading import active_runs
from tickerq_celery.store.tables import tickers
from tickerq_celery.tickers.counts import Count, RunCounts

_T = tickers.c
_MOST_READ = 3_000
_IN_PROGRESS, _QUEUED, _DUE, _SCHEDULED = "in progress", "queued", "due", "scheduled"
_HELD = {reason: f"held for {reason.value}" for reason in HoldReason}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """Runs that one index holds: how they are found in it, and in which order."""

    name: str
    conditions: Sequence[ColumnElement[bool]]
    order: ColumnElement[Any]


def counts(tx: Transaction, names: Collection[str]) -> dict[str, RunCounts]:
    """Return how many runs of each function are active; a Celery task of that name does not count.

    Of each index the first 3,000 entries are read, whatever functions they are of: no index says how many
    of a million due runs are of one function.
    """
    rows = tx.execute(union_all(*(_counted(part) for part in _parts(tx)))).all()
    read: Counter[str] = Counter()
    for row in rows:
        read[row.part] += row.number
    own = {(row.part, row.function): row for row in rows if row.kind == TickerKind.FUNCTION.value}
    return {name: _of(tx.now, name, own, read) for name in names}


def _parts(tx: Transaction) -> list[_Part]:
    own, here = active_runs.own(tx), _T.namespace == tx.namespace
    return [
        _Part(name=_IN_PROGRESS, conditions=(own, active_runs.IS_RUNNING), order=_T.running_on),
        _Part(name=_QUEUED, conditions=(own, active_runs.IS_QUEUED), order=_T.check_at),
        _Part(name=_DUE, conditions=(here, _T.due_at <= tx.sql_now()), order=_T.due_at),
        _Part(name=_SCHEDULED, conditions=(here, _T.due_at > tx.sql_now()), order=_T.due_at),
        *(
            _Part(name=name, conditions=(own, _T.held_for == reason.value), order=_T.hold_key)
            for reason, name in _HELD.items()
        ),
    ]


def _counted(part: _Part) -> Select[Any]:
    # In the order of the index: a bound alone would let PostgreSQL hope to meet enough rows in the table.
    some = (
        select(_T.function, _T.kind, _T.due_at).where(*part.conditions).order_by(part.order).limit(_MOST_READ)
    ).subquery()
    return select(
        literal_column(f"'{part.name}'").label("part"),
        some.c.function,
        some.c.kind,
        func.count().label("number"),
        func.min(some.c.due_at).label("due_since"),
    ).group_by(some.c.function, some.c.kind)


def _of(
    at: datetime, function: str, own: Mapping[tuple[str, str], Row[Any]], read: Mapping[str, int]
) -> RunCounts:
    def count(part: str) -> Count:
        row = own.get((part, function))
        return Count(0 if row is None else row.number, is_partial=read.get(part, 0) >= _MOST_READ)

    due = own.get((_DUE, function))
    return RunCounts(
        at=at,
        in_progress=count(_IN_PROGRESS),
        queued=count(_QUEUED),
        # Only calls of Celery tasks are.
        published=Count(0),
        due=count(_DUE),
        due_since=None if due is None else due.due_since,
        scheduled=count(_SCHEDULED),
        held={reason: count(name) for reason, name in _HELD.items()},
    )
