"""A run whose row a transaction has locked, with what verbs must know of it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tickerq_celery.enums import TickerKind, TickerStatus
from tickerq_celery.tickers.claims import Started


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedRun:
    """A run that this transaction has locked."""

    run: Started
    status: TickerStatus
    unique_key: str | None

    @property
    def id(self) -> UUID:
        """Its id."""
        return self.run.id

    @property
    def started_at(self) -> datetime | None:
        """When its last attempt began, or None."""
        return self.run.started_at

    @property
    def kind(self) -> TickerKind:
        """What its message asks for."""
        return self.run.kind

    @property
    def cron_ticker_id(self) -> UUID | None:
        """The cron ticker whose occurrence it is, or None."""
        return self.run.cron_ticker_id
