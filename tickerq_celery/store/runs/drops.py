"""How many messages were dropped, by hour and reason, and why a claim may not start."""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from sqlalchemy import bindparam, delete, func, select, update

from tickerq_celery.store.database.batches import insert_if_absent
from tickerq_celery.store.database.transaction import Transaction, rowcount
from tickerq_celery.store.tables import drops, tickers
from tickerq_celery.tickers.drop_reasons import DropReason

RECENT = timedelta(days=1)
_FORGOTTEN_AT_ONCE = 200


def reason_against(tx: Transaction, ticker_id: UUID, claim_no: int) -> DropReason:
    """Return why a claim that was refused its start may not have it."""
    row = tx.execute(
        select(tickers.c.claim_no, tickers.c.namespace).where(tickers.c.id == ticker_id)
    ).one_or_none()
    if row is None:
        return DropReason.UNKNOWN_ID
    if row.claim_no != claim_no:
        return DropReason.OLD_CLAIM
    return DropReason.STARTED_ALREADY if row.namespace == tx.namespace else DropReason.OTHER_NAMESPACE


def count(tx: Transaction, node_id: UUID, counts: Mapping[DropReason, int]) -> None:
    """Add what a worker dropped to its counts of the present hour."""
    now = tx.now
    hour = now.replace(minute=0, second=0, microsecond=0)
    for reason, dropped in counts.items():
        key = {"namespace": tx.namespace, "hour": hour, "reason": reason.value, "node_id": node_id}
        mine = [drops.c[name] == value for name, value in key.items()]
        more = update(drops).where(*mine).values(dropped=drops.c.dropped + dropped)
        if rowcount(tx, more) == 0:
            # The children of its pool count for the same node.
            insert_if_absent(tx, drops, [{**key, "dropped": 0}])
            tx.execute(more)


def recent(tx: Transaction, *, within: timedelta) -> dict[str, int]:
    """Return what was dropped lately, by reason, the most frequent first."""
    total = func.sum(drops.c.dropped)
    rows = tx.execute(
        select(drops.c.reason, total)
        .where(drops.c.namespace == tx.namespace, drops.c.hour > tx.sql_after(-within))
        .group_by(drops.c.reason)
        .order_by(total.desc(), drops.c.reason)
    )
    return {row[0]: int(row[1]) for row in rows}


def forget(tx: Transaction, *, after: timedelta) -> None:
    """Delete the counts of hours long past, but for those that another worker is deleting."""
    key = list(drops.primary_key.columns)
    long_past = (drops.c.namespace == tx.namespace, drops.c.hour < tx.sql_after(-after))
    free = select(*key).where(*long_past).limit(_FORGOTTEN_AT_ONCE).with_for_update(skip_locked=True)
    found = [{f"its_{name}": value for name, value in row.items()} for row in tx.execute(free).mappings()]
    if found:
        # One by one: MariaDB looks at every row, locked or not, where a list of keys is wanted.
        one = (column == bindparam(f"its_{column.name}") for column in key)
        tx.execute(delete(drops).where(*one), found)
