"""Chains as wholes: all runs of one in one statement, and all of one locked."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import CTE, Row, Select, func, literal, select

from tickerq_celery.enums import RunCondition, TickerStatus
from tickerq_celery.store.database.batches import in_parts
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.reading.row_mapping import READERS
from tickerq_celery.store.runs.locked_runs import LockedRun
from tickerq_celery.store.runs.starts import STARTED, started
from tickerq_celery.store.runs.summaries import SUMMARY_COLUMNS, run_summary
from tickerq_celery.store.tables import tickers
from tickerq_celery.tickers.chain_trees import ChainRun, ChainTree, waits_for
from tickerq_celery.tickers.chains import UNMET_REASON
from tickerq_celery.tickers.summaries import RunSummary

_condition = READERS["run_condition"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedMember(LockedRun):
    """A run of a chain that this transaction has locked.

    ``is_unmet`` says that it was skipped as its parent's start or end did not meet its condition.
    """

    depth: int
    run_condition: RunCondition | None
    is_unmet: bool

    @property
    def parent_id(self) -> UUID | None:
        """Its parent, or None of the head."""
        return self.run.parent_id


def tree(tx: Transaction, ticker_id: UUID, *, limit: int) -> ChainTree | None:
    """Return the chain that a run belongs to, up to ``limit`` runs of it; None where there is no such run."""
    chain = _chain_from(_root_of(tx, ticker_id))
    statement = _ordered(select(*SUMMARY_COLUMNS, tickers.c.run_condition, chain.c.depth), chain).limit(
        limit + 1
    )
    rows = tx.execute(statement).all()
    if not rows:
        return None
    seen: dict[UUID, RunSummary] = {}
    runs = []
    for row in rows[:limit]:
        run = seen[row.id] = run_summary(row)
        condition = _condition(row.run_condition)
        parent = None if run.parent_id is None else seen.get(run.parent_id)
        runs.append(
            ChainRun(
                run=run,
                depth=row.depth,
                run_condition=condition,
                waits_for=waits_for(run, condition, parent),
            )
        )
    return ChainTree(root_id=runs[0].run.id, runs=tuple(runs), truncated=len(rows) > limit)


def below(tx: Transaction, ticker_id: UUID) -> list[UUID]:
    """Return the ids of all that is below a run, parents first."""
    chain = _chain_from(ticker_id)
    return list(tx.scalars(_ordered(select(tickers.c.id), chain).where(chain.c.depth > 0)))


def head_cron(tx: Transaction, ticker_id: UUID) -> UUID | None:
    """Return the cron ticker whose occurrence is at the head of a run's chain, or None."""
    root = _root_of(tx, ticker_id)
    return tx.scalar(select(tickers.c.cron_ticker_id).where(tickers.c.id == root))


def lock(tx: Transaction, ticker_id: UUID) -> list[LockedMember] | None:
    """Lock all runs of the chain that a run belongs to, parents first.

    It is empty where there is no such run, and None where another transaction has one of them locked. From
    the top down, as an end locks what follows it, and no further than such a run: its end is not waited for
    with the locks that it needs.
    """
    chain = _chain_from(_root_of(tx, ticker_id))
    found = tx.execute(_ordered(select(tickers.c.id, chain.c.depth), chain)).all()
    members: list[LockedMember] = []
    for depth, level in groupby(found, key=lambda row: int(row.depth)):
        ids = [row.id for row in level]
        rows = in_parts(ids, lambda part: _lock(tx, part))
        if len(rows) < len(ids):
            return None
        members += [_member(row, depth) for row in rows]
    return members


def _root_of(tx: Transaction, ticker_id: UUID) -> Any:
    found = select(func.coalesce(tickers.c.root_id, tickers.c.id))
    return found.where(tickers.c.id == ticker_id, tickers.c.namespace == tx.namespace).scalar_subquery()


def _chain_from(top: Any) -> CTE:
    """Return the ids of a run and of all below it, by the index of parents: no other has those that wait."""
    chain = (
        select(tickers.c.id, literal(0).label("depth"))
        .where(tickers.c.id == top)
        .cte("chain", recursive=True)
    )
    below = tickers.alias("below")
    return chain.union_all(select(below.c.id, chain.c.depth + 1).join(chain, below.c.parent_id == chain.c.id))


def _ordered(statement: Select[Any], chain: CTE) -> Select[Any]:
    # An outer join, though each row is there: else SQLite reads all runs, and looks each up in the chain.
    found = statement.select_from(chain.outerjoin(tickers, tickers.c.id == chain.c.id))
    return found.order_by(chain.c.depth, tickers.c.id)


def _lock(tx: Transaction, ids: Sequence[UUID]) -> Sequence[Any]:
    columns: Sequence[Any] = (*STARTED, tickers.c.status, tickers.c.run_condition, tickers.c.unique_key)
    is_unmet = tickers.c.skipped_reason.startswith(UNMET_REASON, autoescape=True).label("is_unmet")
    statement = select(*columns, is_unmet).where(tickers.c.id.in_(ids)).order_by(tickers.c.id)
    return tx.execute(statement.with_for_update(skip_locked=True)).all()


def _member(row: Row[Any], depth: int) -> LockedMember:
    return LockedMember(
        run=started(row),
        depth=depth,
        status=row.status,
        run_condition=_condition(row.run_condition),
        unique_key=row.unique_key,
        is_unmet=row.status is TickerStatus.SKIPPED and bool(row.is_unmet),
    )
