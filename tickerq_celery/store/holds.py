"""Holds of due runs that may not run yet, and their release."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Select, bindparam, select, update

from tickerq_celery.enums import HoldReason, TickerStatus
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.tables import tickers

# What a claim holds a run for, and the fields of it that decide on that: an edit of one lets the next claim
# look again.
BY_CLAIM = frozenset(
    {HoldReason.FUNCTION, HoldReason.LIMIT, HoldReason.KEY, HoldReason.RATE, HoldReason.PAUSED}
)
DECIDING = frozenset({"function", "queue", "concurrency_key", "tags"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Why a run may not be claimed; ``key`` finds it again when the cause is gone."""

    reason: HoldReason
    key: str


def hold(tx: Transaction, held: Mapping[UUID, Hold]) -> None:
    """Hold locked runs: no claim looks at them until the hold is released."""
    if not held:
        return
    statement = (
        update(tickers)
        .where(tickers.c.id == bindparam("held_id"), tickers.c.status == TickerStatus.IDLE)
        .values(due_at=None, held_for=bindparam("reason"), hold_key=bindparam("key"))
    )
    tx.execute(
        statement,
        [
            {"held_id": run_id, "reason": cause.reason.value, "key": cause.key}
            for run_id, cause in held.items()
        ],
    )


def release(
    tx: Transaction,
    *,
    reason: HoldReason,
    keys: Collection[str],
    limit: int,
) -> list[UUID]:
    """Release up to ``limit`` runs held for ``reason`` under one of ``keys``: make them due, and return them.

    Of one key's the most urgent first, then the oldest.
    """
    if not keys:
        return []
    held = tx.scalars(
        select(tickers.c.id)
        .where(
            tickers.c.held_for == reason.value,
            tickers.c.hold_key.in_(list(keys)),
            tickers.c.namespace == tx.namespace,
        )
        .order_by(tickers.c.hold_key, tickers.c.priority, tickers.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    if held:
        tx.execute(
            update(tickers)
            .where(tickers.c.id.in_(held), tickers.c.status == TickerStatus.IDLE)
            .values(due_at=tx.sql_now(), held_for=None, hold_key=None)
        )
    return list(held)


def held_keys(tx: Transaction, reason: HoldReason) -> list[str]:
    """Return the keys under which runs are held for ``reason``."""
    return _keys(tx, _held_keys(tx.namespace, reason))


def next_held_keys(tx: Transaction, reason: HoldReason, *, after: str, limit: int) -> list[str]:
    """Return up to ``limit`` keys under which runs are held for ``reason``, in order, from ``after`` on."""
    keys = _held_keys(tx.namespace, reason).where(tickers.c.hold_key > after)
    return _keys(tx, keys.order_by(tickers.c.hold_key).limit(limit))


def _held_keys(namespace: str, reason: HoldReason) -> Select[str]:
    return (
        select(tickers.c.hold_key)
        .where(tickers.c.held_for == reason.value, tickers.c.namespace == namespace)
        .distinct()
    )


def _keys(tx: Transaction, statement: Select[str]) -> list[str]:
    return list(tx.scalars(statement))
