"""Delete runs with all that is below them in their chains, their attempts and their log lines."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, delete, select

from tickerq_celery.enums import CLAIMED, TickerKind, TickerStatus, TickerType
from tickerq_celery.store.database.batches import among, in_parts
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.runs import overlaps
from tickerq_celery.store.tables import tickers
from tickerq_celery.tickers.known_outcomes import status_word


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A locked run of a chain; ``head`` is the run that was asked for, itself or one above it.

    ``locks`` is the cron ticker whose overlap lock it holds.
    """

    id: UUID
    head: UUID
    function: str
    description: str | None
    status: TickerStatus
    status_word: str
    locks: UUID | None

    @property
    def is_active(self) -> bool:
        """Whether it is Queued or InProgress."""
        return self.status in CLAIMED


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedChains:
    """Runs that this transaction has locked, with all that is below them, level by level.

    ``busy`` are those that were asked for of whose chains another transaction has a part locked.
    """

    levels: Sequence[Sequence[Member]]
    busy: Collection[UUID] = ()

    @property
    def heads(self) -> Sequence[Member]:
        """Those that were asked for and are there."""
        return self.levels[0] if self.levels else ()

    @property
    def ids(self) -> frozenset[UUID]:
        """All of them: one that was asked for may be below another one."""
        return frozenset(each.id for level in self.levels for each in level)

    @property
    def active(self) -> Member | None:
        """The first one that is active, from the top, or None."""
        return next((each for level in self.levels for each in level if each.is_active), None)


def lock_chains(
    tx: Transaction, ids: Collection[UUID], *, type: TickerType | None, waits: bool = True
) -> LockedChains:
    """Lock those of ``ids`` that are runs, of this ``type``, and all that is below them; None is any type.

    From the top down, as an end locks what follows it. What is locked here cannot be claimed any more, and
    what has been claimed meanwhile is seen to be active. Unless it ``waits``, this ends at the first level of
    which another transaction has a run locked.
    """
    here = [tickers.c.namespace == tx.namespace]
    if type is not None:
        here.append(tickers.c.type == int(type))
    found = in_parts(
        sorted(ids), lambda part: tx.execute(_members(among(tx, tickers.c.id, part), *here)).all()
    )
    head_of = {row.id: row.id for row in found}
    levels: list[list[Member]] = []
    while head_of:
        locked = in_parts(list(head_of), lambda part: _lock(tx, part, waits=waits))
        levels.append([_member(row, head=head_of[row.id]) for row in locked])
        elsewhere = head_of.keys() - {row.id for row in locked}
        if elsewhere and not waits:
            return LockedChains(levels=levels, busy={head_of[each] for each in elsewhere})
        heads = {row.id: head_of[row.id] for row in locked}
        found = in_parts(
            list(heads), lambda part: tx.execute(_members(among(tx, tickers.c.parent_id, part))).all()
        )
        head_of = {row.id: heads[row.parent_id] for row in found}
    return LockedChains(levels=levels)


def remove(tx: Transaction, found: LockedChains) -> list[UUID]:
    """Delete locked chains, and pass on the overlap locks that they held; return what is due by that.

    The lowest level first: MariaDB's own cascade ends at 15 levels.
    """
    for level in reversed(found.levels):
        in_parts([each.id for each in level], lambda part: _delete(tx, part))
    crons = {each.locks for level in found.levels for each in level if each.locks is not None}
    return [each for cron_id in sorted(crons) for each in overlaps.pass_lock(tx, cron_id)]


def _members(*which: ColumnElement[bool]) -> Select[Any]:
    columns: Sequence[Any] = (
        tickers.c.id,
        tickers.c.parent_id,
        tickers.c.function,
        tickers.c.description,
        tickers.c.kind,
        tickers.c.status,
        tickers.c.published_at,
        tickers.c.started_at,
        tickers.c.cron_ticker_id,
        tickers.c.active_key,
    )
    return select(*columns).where(*which).order_by(tickers.c.id)


def _lock(tx: Transaction, ids: Sequence[UUID], *, waits: bool) -> Sequence[Row[Any]]:
    # By their ids: MariaDB locks all that a search passes.
    return tx.execute(_members(among(tx, tickers.c.id, ids)).with_for_update(skip_locked=not waits)).all()


def _member(row: Row[Any], *, head: UUID) -> Member:
    cron_id = row.cron_ticker_id
    holds_lock = cron_id is not None and row.active_key == overlaps.key_of(cron_id)
    return Member(
        id=row.id,
        head=head,
        function=row.function,
        description=row.description,
        status=row.status,
        status_word=status_word(
            TickerKind(row.kind), row.status, published_at=row.published_at, started_at=row.started_at
        ),
        locks=cron_id if holds_lock else None,
    )


def _delete(tx: Transaction, ids: Sequence[UUID]) -> Sequence[UUID]:
    tx.execute(delete(tickers).where(among(tx, tickers.c.id, ids)))
    return ids
