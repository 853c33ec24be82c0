"""Skipped records that ``skip_next`` has made for instants to come: lock and delete them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select

from tickerq_celery.enums import Origin, TickerStatus
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.tables import tickers

_IS_SKIP = (
    tickers.c.origin == Origin.SKIP.value,
    tickers.c.status == TickerStatus.SKIPPED,
    # One that was retried and has run is the record of that.
    tickers.c.claim_no == 0,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """The Skipped record of an instant, which this transaction has locked."""

    id: UUID
    instant: datetime


def lock_after(tx: Transaction, cron_id: UUID, moment: datetime) -> Sequence[Skip]:
    """Lock the skips of a cron ticker after a moment, and return them, the latest first."""
    rows: Sequence[Any] = tx.execute(
        select(tickers.c.id, tickers.c.instant)
        .where(tickers.c.cron_ticker_id == cron_id, tickers.c.instant > moment, *_IS_SKIP)
        .order_by(tickers.c.instant.desc())
        .with_for_update()
    ).all()
    return [Skip(id=row.id, instant=row.instant) for row in rows]


def remove(tx: Transaction, skip: Skip) -> None:
    """Delete a locked record, so that its instant gets its occurrence."""
    tx.execute(delete(tickers).where(tickers.c.id == skip.id, *_IS_SKIP))
