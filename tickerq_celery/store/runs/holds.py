"""Holds of due runs that may not run yet, and their release."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, literal, literal_column, or_, select, update

from tickerq_celery.enums import HoldReason, TickerStatus
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.reading import active_runs
from tickerq_celery.store.tables import tickers

# What a claim holds a run for, and the fields of it that decide on that: an edit of one lets the next claim
# look again.
BY_CLAIM = frozenset(
    {HoldReason.FUNCTION, HoldReason.LIMIT, HoldReason.KEY, HoldReason.RATE, HoldReason.PAUSED}
)
DECIDING = frozenset({"function", "queue", "concurrency_key", "tags"})
# The columns of a hold, of a run that nothing holds.
UNHELD: Mapping[str, None] = MappingProxyType(dict.fromkeys(("held_for", "hold_key", "held_since")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Why a run may not be claimed; ``key`` finds it again when the cause is gone."""

    reason: HoldReason
    key: str


def hold(tx: Transaction, held: Mapping[UUID, Hold]) -> None:
    """Hold locked runs: no claim looks at them until the hold is released.

    One statement, of whatever causes they are; a backlog's are mostly one.
    """
    if not held:
        return
    runs: dict[Hold, list[UUID]] = {}
    for run_id, cause in held.items():
        runs.setdefault(cause, []).append(run_id)
    reason = _by_cause(runs, lambda cause: cause.reason.value)
    key = _by_cause(runs, lambda cause: cause.key)
    is_held_already = and_(tickers.c.held_for == reason, tickers.c.hold_key == key)
    tx.execute(
        update(tickers)
        .where(tickers.c.id.in_(list(held)), tickers.c.status == TickerStatus.IDLE)
        # In this order: MariaDB has each assignment read what the ones before it wrote.
        .ordered_values(
            # What waits for a rate may be held for the same again, and has waited since then.
            ("held_since", case((is_held_already, tickers.c.held_since), else_=tx.sql_now())),
            ("due_at", None),
            ("held_for", reason),
            ("hold_key", key),
        )
    )


def _by_cause(runs: Mapping[Hold, Sequence[UUID]], part: Callable[[Hold], str]) -> ColumnElement[str]:
    """Return what is written of the cause: one text where all have it, else that of each row."""
    ids: dict[str, list[UUID]] = {}
    for cause, own in runs.items():
        ids.setdefault(part(cause), []).extend(own)
    texts = {text: literal(text) for text in ids}
    last = next(iter(texts))
    others = [(tickers.c.id.in_(own), texts[text]) for text, own in ids.items() if text != last]
    return case(*others, else_=texts[last]) if others else texts[last]


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
            active_runs.own(tx),
        )
        .order_by(tickers.c.hold_key, tickers.c.priority, tickers.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    if held:
        tx.execute(
            update(tickers)
            .where(tickers.c.id.in_(held), tickers.c.status == TickerStatus.IDLE)
            .values(due_at=tx.sql_now(), **UNHELD)
        )
    return list(held)


def has_any(tx: Transaction) -> bool:
    """Return True if a claim has held any run that is held still: one statement, mostly the only one."""
    held = (
        select(tickers.c.id).where(active_runs.own(tx), tickers.c.held_for == reason.value).exists()
        for reason in sorted(BY_CLAIM)
    )
    return bool(tx.execute(select(or_(*held))).scalar_one())


def held_keys(tx: Transaction, reason: HoldReason) -> list[str]:
    """Return the keys under which runs are held for ``reason``."""
    return list(tx.scalars(keys_held(tx, reason)))


def next_held_keys(tx: Transaction, reason: HoldReason, *, after: str, limit: int) -> list[str]:
    """Return up to ``limit`` keys under which runs are held for ``reason``, in order, from ``after`` on."""
    return list(tx.scalars(keys_held(tx, reason, after=after, limit=limit)))


def keys_held(
    tx: Transaction, reason: HoldReason, *, after: str = "", limit: int | None = None
) -> Select[str]:
    """Return the query for the keys under which runs are held, in order.

    Each is found by the one before it: the runs under one key may be 100,000.
    """

    def first_after(key: ColumnElement[str]) -> ColumnElement[str | None]:
        held = (active_runs.own(tx), tickers.c.held_for == reason.value, tickers.c.hold_key > key)
        return select(tickers.c.hold_key).where(*held).order_by(tickers.c.hold_key).limit(1).scalar_subquery()

    first: Select[str | None, int] = select(
        first_after(literal(after)).label("key"), literal_column("1").label("number")
    )
    found = first.cte(f"keys_{reason.value}", recursive=True)
    following = select(first_after(found.c.key), found.c.number + 1).where(found.c.key.is_not(None))
    if limit is not None:
        following = following.where(found.c.number < limit)
    found = found.union_all(following)
    return select(found.c.key).where(found.c.key.is_not(None)).order_by(found.c.number)
