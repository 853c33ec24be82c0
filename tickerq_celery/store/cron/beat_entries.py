"""The cron tickers of beat entries, and the beats whose code defines them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from tickerq_celery.enums import NodeKind, TickerKind
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.reading.row_mapping import cron_row
from tickerq_celery.store.tables import cron_tickers, nodes
from tickerq_celery.tickers.cron_rows import CronRow


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveBeat:
    """A beat that has a node row, with the seed keys of its entries."""

    id: UUID
    started_at: datetime
    entries: frozenset[str]


def live_beats(tx: Transaction) -> frozenset[LiveBeat]:
    """Return the beats of a namespace."""
    rows = tx.execute(
        select(nodes.c.id, nodes.c.started_at, nodes.c.entries).where(
            nodes.c.namespace == tx.namespace, nodes.c.kind == NodeKind.BEAT.value
        )
    )
    return frozenset(
        LiveBeat(id=row.id, started_at=row.started_at, entries=frozenset(row.entries)) for row in rows
    )


def known_ids(tx: Transaction) -> dict[str, UUID]:
    """Return the ids of all cron tickers of entries by their seed keys, also of those that are paused."""
    known = select(cron_tickers.c.seed_key, cron_tickers.c.id).where(*_of_entries(tx.namespace))
    return {row.seed_key: row.id for row in tx.execute(known)}


def lock_entries(tx: Transaction, *, but: Collection[str]) -> list[CronRow]:
    """Lock the cron tickers of entries except those of the keys ``but``, passing over what is locked."""
    statement = select(cron_tickers).where(
        *_of_entries(tx.namespace), cron_tickers.c.seed_key.not_in(list(but))
    )
    return [cron_row(row) for row in tx.execute(statement.with_for_update(skip_locked=True))]


def _of_entries(namespace: str) -> tuple[Any, ...]:
    return (
        cron_tickers.c.namespace == namespace,
        cron_tickers.c.kind == TickerKind.CELERY_TASK.value,
        cron_tickers.c.seed_expression.is_not(None),
    )
