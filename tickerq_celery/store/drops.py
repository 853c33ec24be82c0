"""How many messages were dropped, by hour and reason, and why a claim may not start."""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Connection, delete, func, select, update

from tickerq_celery.clock import Clock
from tickerq_celery.drops import DropReason
from tickerq_celery.models import drops, tickers
from tickerq_celery.sqltypes import sql_after, sql_now
from tickerq_celery.store.engine import insert_if_absent


def reason_against(connection: Connection, ticker_id: UUID, claim_no: int) -> DropReason:
    """Return why a claim that was refused its start may not have it."""
    newest = connection.scalar(select(tickers.c.claim_no).where(tickers.c.id == ticker_id))
    if newest is None:
        return DropReason.UNKNOWN_ID
    return DropReason.STARTED_ALREADY if newest == claim_no else DropReason.OLD_CLAIM


def count(connection: Connection, clock: Clock, namespace: str, counts: Mapping[DropReason, int]) -> None:
    """Add what was dropped to the counts of the present hour."""
    now = connection.scalars(select(sql_now(clock))).one()
    hour = now.replace(minute=0, second=0, microsecond=0)
    # In one order everywhere, so that two workers never wait for each other.
    ordered = sorted(counts.items())
    keys = [{"namespace": namespace, "hour": hour, "reason": reason.value} for reason, _ in ordered]
    insert_if_absent(connection, drops, [{**key, "dropped": 0} for key in keys])
    for reason, dropped in ordered:
        connection.execute(
            update(drops)
            .where(drops.c.namespace == namespace, drops.c.hour == hour, drops.c.reason == reason.value)
            .values(dropped=drops.c.dropped + dropped)
        )


def recent(connection: Connection, clock: Clock, namespace: str, *, within: timedelta) -> dict[str, int]:
    """Return what was dropped lately, by reason, the most frequent first."""
    total = func.sum(drops.c.dropped)
    rows = connection.execute(
        select(drops.c.reason, total)
        .where(drops.c.namespace == namespace, drops.c.hour > sql_after(clock, -within))
        .group_by(drops.c.reason)
        .order_by(total.desc(), drops.c.reason)
    )
    return {row[0]: int(row[1]) for row in rows}


def forget(connection: Connection, clock: Clock, namespace: str, *, after: timedelta) -> None:
    """Delete the counts of hours long past."""
    connection.execute(
        delete(drops).where(drops.c.namespace == namespace, drops.c.hour < sql_after(clock, -after))
    )
