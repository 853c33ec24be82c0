"""Find the expired runs, by the rules of retention, in bounded steps."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, case, func, or_, select

from tickerq_celery.enums import TERMINAL
from tickerq_celery.functions.retention import Rule
from tickerq_celery.store.database.batches import in_parts
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.reading.filters import has_outcome
from tickerq_celery.store.tables import tickers
from tickerq_celery.tickers.uncounted_ends import EndPosition

_T = tickers.c
# Of each rule, where only that something is expired is asked.
_LOOKED_AT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRuns:
    """Runs that one step found expired: those without a chain, and the heads of the chains of others.

    ``position`` is where to go on.
    """

    unchained: Sequence[UUID]
    heads: Sequence[UUID]
    position: EndPosition | None
    is_last: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PastCount:
    """How many runs of a function are expired, and when the first of them ended.

    So many of them are ``published``: calls of a Celery task that no worker reported.
    """

    function: str
    runs: int
    published: int
    since: datetime


def find(
    tx: Transaction, rule: Rule, *, after: EndPosition | None, counted: EndPosition, limit: int
) -> PastRuns:
    """Return the runs a rule is about among the next ``limit`` that ended with its status, long enough ago.

    None of them ended after what the roll-up has ``counted``. Runs of other functions and namespaces are
    passed over here and not by the database, so that no step reads more than ``limit`` of them.
    """
    columns = (
        tickers.c.id,
        tickers.c.namespace,
        tickers.c.function,
        tickers.c.ended_at,
        tickers.c.parent_id,
        tickers.c.has_children,
    )
    statement = select(*columns).where(*_ended_as(tx, rule, counted)).limit(limit)
    statement = statement.order_by(tickers.c.ended_at, tickers.c.id)
    if after is not None:
        is_later = or_(tickers.c.ended_at > after.ended_at, tickers.c.id > after.id)
        statement = statement.where(tickers.c.ended_at >= after.ended_at, is_later)
    rows = tx.execute(statement).all()
    ours = [row for row in rows if row.namespace == tx.namespace and rule.covers(row.function)]
    chained = [row.id for row in ours if row.has_children or row.parent_id is not None]
    return PastRuns(
        unchained=[row.id for row in ours if not row.has_children and row.parent_id is None],
        heads=_heads_of(tx, chained),
        position=EndPosition(ended_at=rows[-1].ended_at, id=rows[-1].id) if rows else after,
        is_last=len(rows) < limit,
    )


def count(tx: Transaction, rule: Rule, *, counted: EndPosition) -> list[PastCount]:
    """Return how many runs of the namespace a rule is about, by function, each also as a part of a chain.

    Runs that ended after what the roll-up has ``counted`` are left out.
    """
    published = func.sum(case((has_outcome(known=False), 1), else_=0))
    statement = (
        select(tickers.c.function, func.count(), published, func.min(tickers.c.ended_at))
        .where(*_ended_as(tx, rule, counted), tickers.c.namespace == tx.namespace)
        .group_by(tickers.c.function)
        .order_by(tickers.c.function)
    )
    counts = [
        PastCount(function=name, runs=runs, published=int(published), since=since)
        for name, runs, published, since in tx.execute(statement)
    ]
    return [each for each in counts if rule.covers(each.function)]


def overdue_since(tx: Transaction, rules: Sequence[Rule], *, by: timedelta) -> datetime | None:
    """Return when the first run ended that a rule is about and that has been expired ``by`` so long, or None.

    For each rule the first runs of its status are looked at, and of those none of a chain, which is kept as
    long as its last run.
    """
    found = [_overdue_since(tx, rule, by) for rule in rules]
    return min((each for each in found if each is not None), default=None)


def has_any(tx: Transaction, function: str) -> bool:
    """Return True if a run of a function or a Celery task has ended, and is kept."""
    some = select(_T.id).where(
        _T.function == function, _T.ended_status >= min(TERMINAL), _T.namespace == tx.namespace
    )
    return tx.scalar(some.limit(1)) is not None


def _overdue_since(tx: Transaction, rule: Rule, by: timedelta) -> datetime | None:
    columns = (_T.namespace, _T.function, _T.ended_at, _T.parent_id, _T.has_children)
    is_past = (_T.ended_status == rule.status, _T.ended_at < tx.sql_after(-rule.after - by))
    oldest = select(*columns).where(*is_past)
    if rule.function is not None:
        oldest = oldest.where(_T.function == rule.function)
    # Bounded before what the index does not know is asked: what fails it is read no longer.
    some = oldest.order_by(_T.ended_at).limit(_LOOKED_AT).subquery()
    ours = [some.c.namespace == tx.namespace, some.c.parent_id.is_(None), some.c.has_children.is_(False)]
    if rule.but:
        ours.append(some.c.function.not_in(sorted(rule.but)))
    found: datetime | None = tx.scalar(select(func.min(some.c.ended_at)).where(*ours))
    return found


def _heads_of(tx: Transaction, ids: Sequence[UUID]) -> list[UUID]:
    """Return the heads of the chains that runs are in."""
    heads: dict[UUID, None] = {}
    while ids:
        rows = in_parts(ids, lambda part: tx.execute(_parents(part)).all())
        heads |= dict.fromkeys(row.id for row in rows if row.parent_id is None)
        ids = list({row.parent_id for row in rows if row.parent_id is not None})
    return list(heads)


def _ended_as(tx: Transaction, rule: Rule, counted: EndPosition) -> list[ColumnElement[bool]]:
    conditions = [
        tickers.c.ended_status == rule.status,
        tickers.c.ended_at < tx.sql_after(-rule.after),
        # Short of the position's id: what ended at that very moment goes the next time.
        tickers.c.ended_at < counted.ended_at,
    ]
    if rule.function is not None:
        conditions.append(tickers.c.function == rule.function)
    return conditions


def _parents(ids: Sequence[UUID]) -> Select[Any]:
    return select(tickers.c.id, tickers.c.parent_id).where(tickers.c.id.in_(ids))
