"""The occurrences of a cron ticker, by the instants that they are of."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from tickerq_celery.models import tickers
from tickerq_celery.store.parts import in_parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """An occurrence that this transaction has locked; one that nobody has ever claimed has number 0."""

    id: UUID
    claim_no: int


def taken_among(connection: Connection, cron_id: UUID, instants: Sequence[datetime]) -> set[datetime]:
    """Return those of the ``instants`` that have their occurrence, however far apart they lie."""
    statement = select(tickers.c.instant).where(tickers.c.cron_ticker_id == cron_id)
    taken = in_parts(
        instants, lambda part: connection.scalars(statement.where(tickers.c.instant.in_(part))).all()
    )
    return {instant for instant in taken if instant is not None}


def after(connection: Connection, cron_id: UUID, moment: datetime) -> set[datetime]:
    """Return the instants after a moment that have their occurrence, which to come only a skipped one has."""
    statement = select(tickers.c.instant).where(
        tickers.c.cron_ticker_id == cron_id, tickers.c.instant > moment
    )
    return {instant for instant in connection.scalars(statement) if instant is not None}


def lock_at(connection: Connection, cron_id: UUID, instant: datetime) -> Occurrence | None:
    """Lock the occurrence of an instant and return it, or None where it has none."""
    row: Any = connection.execute(
        select(tickers.c.id, tickers.c.claim_no)
        .where(tickers.c.cron_ticker_id == cron_id, tickers.c.instant == instant)
        .with_for_update()
    ).one_or_none()
    return None if row is None else Occurrence(id=row.id, claim_no=row.claim_no)
