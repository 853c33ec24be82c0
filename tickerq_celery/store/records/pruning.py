"""Lock and delete chains that are expired entirely, and runs without a chain alike."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import Row, Select, bindparam, delete, or_, select, update

from tickerq_celery.enums import TickerStatus
from tickerq_celery.store.database.batches import in_parts
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.tables import cron_tickers, tickers
from tickerq_celery.store.tables.column_types import Id, UtcDateTime
from tickerq_celery.tickers.uncounted_ends import EndPosition

# Whether a run of a function that ended with a status at a moment is expired.
IsPast: TypeAlias = Callable[[str, TickerStatus, datetime], bool]
_ITS_INSTANT = bindparam("its_instant", type_=UtcDateTime())
_MARK = (
    update(cron_tickers)
    .where(
        cron_tickers.c.id == bindparam("its_id", type_=Id),
        or_(cron_tickers.c.pruned_until.is_(None), cron_tickers.c.pruned_until < _ITS_INSTANT),
    )
    .values(pruned_until=_ITS_INSTANT)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRun:
    """A locked run of a chain, or one that has none; ``head`` is the run at the top."""

    id: UUID
    head: UUID
    cron_id: UUID | None
    instant: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PastChains:
    """Locked chains, level by level, that are expired entirely.

    ``busy`` are the heads of those of which another transaction has a part locked.
    """

    levels: Sequence[Sequence[PastRun]]
    busy: frozenset[UUID]

    @property
    def ids(self) -> list[UUID]:
        """All of their runs, from the heads down."""
        return [each.id for level in self.levels for each in level]

    def without(self, heads: Collection[UUID]) -> "PastChains":
        """Return the same but for some chains, which are busy."""
        return PastChains(levels=_without(self.levels, heads), busy=self.busy | set(heads))


def lock_past(
    tx: Transaction, heads: Collection[UUID], is_past: IsPast, *, counted: EndPosition
) -> PastChains:
    """Lock the chains of which every run has ended and is expired, from the heads down.

    Each end is before what the roll-up has ``counted``. What another transaction has locked it does not wait
    for: that one may be letting a run start again.
    """
    head_of = {each: each for each in heads}
    levels: list[list[PastRun]] = []
    staying: set[UUID] = set()
    busy: set[UUID] = set()
    while head_of:
        rows = in_parts(list(head_of), lambda part: tx.execute(_locked(part)).all())
        locked = {row.id for row in rows}
        busy |= {head_of[each] for each in _still_there(tx, head_of.keys() - locked)}
        staying |= {head_of[row.id] for row in rows if not _is_past(tx, row, is_past, counted)}
        levels.append([_past_run(row, head_of[row.id]) for row in rows])
        # Only now: no child is added to a run that is locked.
        head_of = {row.id: head_of[row.parent_id] for row in _below(tx, locked)}
    return PastChains(levels=_without(levels, staying | busy), busy=frozenset(busy))


def mark_crons(tx: Transaction, chains: PastChains) -> PastChains:
    """Note in their cron tickers up to which instant occurrences go; return the chains that may go.

    That is not waited for: where another transaction has a cron ticker locked, its occurrences stay. A mark
    is kept since the occurrences are not: an old failure may outlive later successes, and what was pruned
    must not be backfilled.
    """
    latest: dict[UUID, datetime] = {}
    heads = chains.levels[0] if chains.levels else ()
    for each in heads:
        if each.cron_id is not None and each.instant is not None:
            latest[each.cron_id] = max(each.instant, latest.get(each.cron_id, each.instant))
    if not latest:
        return chains
    free: set[UUID] = set(in_parts(sorted(latest), lambda part: tx.scalars(_free_crons(part)).all()))
    marks = [{"its_id": each, "its_instant": latest[each]} for each in sorted(free)]
    if marks:
        tx.execute(_MARK, marks)
    return chains.without({each.head for each in heads if each.cron_id in latest.keys() - free})


def remove(tx: Transaction, chains: PastChains) -> int:
    """Delete locked chains and return how many runs they had.

    The lowest level first: MariaDB's own cascade ends at 15 levels.
    """
    for level in reversed(chains.levels):
        in_parts([each.id for each in level], lambda part: _delete(tx, part))
    return len(chains.ids)


def _without(levels: Sequence[Sequence[PastRun]], heads: Collection[UUID]) -> list[list[PastRun]]:
    return [[each for each in level if each.head not in heads] for level in levels]


def _locked(ids: Sequence[UUID]) -> Select[Any]:
    # By their ids: MariaDB locks all that a search passes.
    columns = (
        tickers.c.id,
        tickers.c.namespace,
        tickers.c.function,
        tickers.c.ended_status,
        tickers.c.ended_at,
        tickers.c.cron_ticker_id,
        tickers.c.instant,
    )
    return select(*columns).where(tickers.c.id.in_(ids)).with_for_update(skip_locked=True)


def _still_there(tx: Transaction, ids: Collection[UUID]) -> Sequence[UUID]:
    there = select(tickers.c.id)
    return in_parts(list(ids), lambda part: tx.scalars(there.where(tickers.c.id.in_(part))).all())


def _below(tx: Transaction, ids: Collection[UUID]) -> Sequence[Row[Any]]:
    children: Select[Any] = select(tickers.c.id, tickers.c.parent_id)
    return in_parts(list(ids), lambda part: tx.execute(children.where(tickers.c.parent_id.in_(part))).all())


def _is_past(tx: Transaction, row: Row[Any], is_past: IsPast, counted: EndPosition) -> bool:
    if row.ended_at is None or row.namespace != tx.namespace or row.ended_at >= counted.ended_at:
        return False
    # The record of a skip ends before its instant: it keeps that from firing, and lets the skip be undone.
    since = row.ended_at if row.instant is None else max(row.ended_at, row.instant)
    return is_past(row.function, row.ended_status, since)


def _past_run(row: Row[Any], head: UUID) -> PastRun:
    return PastRun(id=row.id, head=head, cron_id=row.cron_ticker_id, instant=row.instant)


def _free_crons(ids: Sequence[UUID]) -> Select[Any]:
    # Not against the locks by which occurrences refer to them: a claim or an end must not wait.
    statement = select(cron_tickers.c.id).where(cron_tickers.c.id.in_(ids))
    return statement.with_for_update(key_share=True, skip_locked=True)


def _delete(tx: Transaction, ids: Sequence[UUID]) -> Sequence[UUID]:
    tx.execute(delete(tickers).where(tickers.c.id.in_(ids)))
    return ids
