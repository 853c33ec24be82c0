"""The node that runs a run, and its last sign of life."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.tables import nodes, tickers
from tickerq_celery.wording import in_units


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """The node that runs a run; ``seen_at`` is None where it has no row."""

    name: str
    seen_at: datetime | None

    def is_dead(self, now: datetime, lease: timedelta) -> bool:
        """Return True if it gave no sign of life for a whole lease, or is known no more."""
        return self.seen_at is None or now - self.seen_at >= lease

    def last_seen(self, now: datetime) -> str:
        """Return what is known of its last sign of life, for a sentence about it."""
        if self.seen_at is None:
            return "is gone"
        silent_for = timedelta(seconds=round((now - self.seen_at).total_seconds()))
        return f"was last seen {in_units(silent_for)} ago"


def holder_of(tx: Transaction, ticker_id: UUID) -> Holder:
    """Return the node that runs a run, which is InProgress."""
    row = tx.execute(
        select(tickers.c.lock_holder, nodes.c.name, nodes.c.seen_at)
        .select_from(tickers.outerjoin(nodes, nodes.c.id == tickers.c.running_on))
        .where(tickers.c.id == ticker_id)
    ).one()
    return Holder(name=row.name or row.lock_holder or "its node", seen_at=row.seen_at)
