"""The watermark of the roll-up: up to which end all ends of the store are counted."""

from datetime import datetime

from sqlalchemy import func, or_, select, update

from tickerq_celery.store.database.batches import insert_if_absent
from tickerq_celery.store.database.transaction import Transaction, rowcount
from tickerq_celery.store.reading.index_scans import EARLIEST, LEAST_ID
from tickerq_celery.store.tables import rollup_state, tickers
from tickerq_celery.tickers.uncounted_ends import EndPosition

# Where nothing is counted.
START = EndPosition(ended_at=EARLIEST, id=LEAST_ID)
_LOOKED_AT = 1_000
_ROW = rollup_state.c.id == 1


def position(tx: Transaction) -> EndPosition:
    """Return the watermark: what ended before it is counted, and what ended after it is not."""
    row = tx.execute(select(rollup_state).where(_ROW)).one_or_none()
    return START if row is None else EndPosition(ended_at=row.ended_at, id=row.ended_id)


def uncounted_since(tx: Transaction) -> datetime | None:
    """Return when the first run of the namespace ended that is not counted, among the first of the store."""
    last = position(tx)
    is_later = or_(tickers.c.ended_at > last.ended_at, tickers.c.id > last.id)
    first = (
        select(tickers.c.namespace, tickers.c.ended_at)
        .where(tickers.c.ended_at >= last.ended_at, is_later)
        .order_by(tickers.c.ended_at, tickers.c.id)
        .limit(_LOOKED_AT)
        .subquery()
    )
    its = select(func.min(first.c.ended_at)).where(first.c.namespace == tx.namespace)
    since: datetime | None = tx.scalar(its)
    return since


def position_at(moment: datetime) -> EndPosition:
    """Return the watermark before the ends of a moment."""
    return EndPosition(ended_at=moment, id=LEAST_ID)


def lock(tx: Transaction, *, wait: bool) -> EndPosition | None:
    """Lock the watermark, and return it; without ``wait``, None where another process has it locked."""
    statement = select(rollup_state).where(_ROW).with_for_update(skip_locked=not wait)
    row = tx.execute(statement).one_or_none()
    if row is None:
        if tx.scalar(select(rollup_state.c.id).where(_ROW)) is not None:
            return None
        first = {"id": 1, "ended_at": START.ended_at, "ended_id": START.id}
        insert_if_absent(tx, rollup_state, [first])
        row = tx.execute(statement).one_or_none()
    return None if row is None else EndPosition(ended_at=row.ended_at, id=row.ended_id)


def move(tx: Transaction, before: EndPosition, after: EndPosition) -> None:
    """Move the locked watermark from where it was read.

    Raises:
        AssertionError: It is not there any more, so that ends would be counted twice.
    """
    statement = (
        update(rollup_state)
        .where(_ROW, rollup_state.c.ended_at == before.ended_at, rollup_state.c.ended_id == before.id)
        .values(ended_at=after.ended_at, ended_id=after.id)
    )
    if rowcount(tx, statement) != 1:
        raise AssertionError(f"the watermark of the roll-up was locked at {before}, and is not there")
