"""Read and edit runs: time tickers and cron occurrences alike."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, select, update

from tickerq_celery.enums import RETRIABLE, HoldReason, TickerStatus, TickerType
from tickerq_celery.payload.codec import RequestCodec
from tickerq_celery.store import chains, logs
from tickerq_celery.store.database.batches import insert_rows
from tickerq_celery.store.database.transaction import Transaction, rowcount
from tickerq_celery.store.filters import RunFilter, conditions
from tickerq_celery.store.row_mapping import run_columns
from tickerq_celery.store.tables import attempts, tickers
from tickerq_celery.store.views import (
    ATTEMPT_COLUMNS,
    RUN_COLUMNS,
    cursor_id,
    page_size,
    run_view,
)
from tickerq_celery.tickers.run_rows import RunRow
from tickerq_celery.tickers.views import Page, Run

_LARGEST_DELETE = 500


def stored_among(tx: Transaction, ids: Collection[UUID]) -> list[UUID]:
    """Return those of ``ids`` that are runs."""
    if not ids:
        return []
    return list(tx.scalars(select(tickers.c.id).where(tickers.c.id.in_(list(ids)))))


def one(namespace: str, ticker_id: UUID, type: TickerType | None) -> ColumnElement[bool]:
    """Return what is true of one run only, or of none where it is not of this ``type``; None is any."""
    is_one = and_(tickers.c.id == ticker_id, tickers.c.namespace == namespace)
    return is_one if type is None else and_(is_one, tickers.c.type == int(type))


def insert(tx: Transaction, rows: Sequence[RunRow]) -> None:
    """Store new runs, all or none."""
    insert_rows(tx, tickers, [run_columns(row) for row in rows])


def exists(tx: Transaction, ticker_id: UUID, *, type: TickerType | None) -> bool:
    """Whether there is this run, of this ``type``."""
    return tx.scalar(select(tickers.c.id).where(one(tx.namespace, ticker_id, type))) is not None


def get(
    tx: Transaction,
    ticker_id: UUID,
    *,
    codec: RequestCodec,
    type: TickerType | None = None,
) -> Run | None:
    """Return a run with its attempts and log lines, oldest first, or None."""
    row = tx.execute(select(*RUN_COLUMNS).where(one(tx.namespace, ticker_id, type))).one_or_none()
    if row is None:
        return None
    made = tx.execute(
        select(*ATTEMPT_COLUMNS).where(attempts.c.ticker_id == ticker_id).order_by(attempts.c.claim_no)
    )
    return run_view(row, codec, made, logs.read(tx, ticker_id, row.claim_no))


def find(
    tx: Transaction,
    wanted: RunFilter,
    *,
    codec: RequestCodec,
    limit: int,
    cursor: str | None,
    with_logs: bool = False,
) -> Page[Run]:
    """Return a page of runs, the newest first; their log lines take one more statement for each."""
    size = page_size(limit)
    statement = select(*RUN_COLUMNS).where(tickers.c.namespace == tx.namespace, *conditions(wanted))
    after = cursor_id(cursor)
    if after is not None:
        statement = statement.where(tickers.c.id < after)
    rows = tx.execute(statement.order_by(tickers.c.id.desc()).limit(size + 1)).all()
    items = tuple(
        run_view(row, codec, log_lines=logs.read(tx, row.id, row.claim_no) if with_logs else ())
        for row in rows[:size]
    )
    return Page(items=items, next_cursor=str(items[-1].id) if len(rows) > size else None)


def count(tx: Transaction, wanted: RunFilter, *, limit: int) -> int:
    """Return how many runs there are, counting no further than ``limit``."""
    some = select(tickers.c.id).where(tickers.c.namespace == tx.namespace, *conditions(wanted)).limit(limit)
    return tx.scalars(select(func.count()).select_from(some.subquery())).one()


def retry(tx: Transaction, ticker_id: UUID) -> bool:
    """Make a run due that did not succeed, with all of its retries; return True if it had ended so."""
    so_far = select(func.coalesce(func.max(attempts.c.number) + 1, 0)).where(
        attempts.c.ticker_id == ticker_id
    )
    statement = (
        update(tickers)
        .where(
            tickers.c.id == ticker_id,
            tickers.c.namespace == tx.namespace,
            tickers.c.status.in_(sorted(RETRIABLE)),
        )
        .values(
            status=TickerStatus.IDLE,
            due_at=tx.sql_now(),
            attempts_before=so_far.scalar_subquery(),
            retry_count=0,
            rescue_count=0,
            skipped_reason=None,
            ended_at=None,
            ended_status=None,
            # Not an occurrence's overlap lock, which another may hold by now.
            active_key=tickers.c.unique_key,
            updated_at=tx.sql_now(),
        )
    )
    return rowcount(tx, statement) == 1


def is_record(tx: Transaction, ticker_id: UUID) -> bool:
    """Whether a row is the record of instants that got no occurrence, and so no run.

    A manual run has no instant either, but only a claim of it can end as Skipped.
    """
    statement = select(tickers.c.id).where(
        tickers.c.id == ticker_id,
        tickers.c.type == TickerType.CRON_TICKER_OCCURRENCE,
        tickers.c.instant.is_(None),
        tickers.c.status == TickerStatus.SKIPPED,
        tickers.c.claim_no == 0,
    )
    return tx.scalar(statement) is not None


def edit(
    tx: Transaction,
    ticker_id: UUID,
    row: RunRow,
    names: Collection[str],
    *,
    held_for: HoldReason | None,
) -> bool:
    """Write these columns of ``row`` into a time ticker; return False if it is claimed, or held otherwise.

    What an edit means for the due time depends on the hold, which may be released meanwhile.
    """
    is_held_so = tickers.c.held_for.is_(None) if held_for is None else tickers.c.held_for == held_for.value
    statement = (
        update(tickers)
        .where(
            tickers.c.id == ticker_id,
            tickers.c.namespace == tx.namespace,
            tickers.c.type == int(TickerType.TIME_TICKER),
            tickers.c.status == TickerStatus.IDLE,
            is_held_so,
        )
        .values(**run_columns(row, names), updated_at=tx.sql_now())
    )
    return rowcount(tx, statement) == 1


def remove(tx: Transaction, ids: Collection[UUID], *, type: TickerType) -> int:
    """Delete runs with their attempts and children, whatever their status; return how many."""
    remaining = sorted(ids)
    found: list[UUID] = []
    while remaining:
        batch, remaining = remaining[:_LARGEST_DELETE], remaining[_LARGEST_DELETE:]
        # Counted before any is deleted, since one may go as another's child.
        found += tx.scalars(
            select(tickers.c.id)
            .where(tickers.c.id.in_(batch), tickers.c.namespace == tx.namespace, tickers.c.type == int(type))
            .with_for_update()
        )
    chains.remove_with_descendants(tx, found)
    return len(found)


def unique_keys(tx: Transaction, *, prefix: str) -> set[str]:
    """Return the unique keys with this beginning, also those of runs that have ended; no index has them."""
    statement = select(tickers.c.unique_key).where(
        tickers.c.namespace == tx.namespace, tickers.c.unique_key.startswith(prefix, autoescape=True)
    )
    return {key for key in tx.scalars(statement) if key is not None}


def active(tx: Transaction, active_key: str, *, codec: RequestCodec) -> Run | None:
    """Return the run that holds a unique key, or None."""
    row = tx.execute(
        select(*RUN_COLUMNS).where(tickers.c.namespace == tx.namespace, tickers.c.active_key == active_key)
    ).one_or_none()
    return None if row is None else run_view(row, codec)


def lock_idle(tx: Transaction, ticker_id: UUID) -> bool:
    """Keep an Idle run from being claimed until the transaction ends; return True if it was Idle."""
    statement = select(tickers.c.id).where(tickers.c.id == ticker_id, tickers.c.status == TickerStatus.IDLE)
    return tx.scalar(statement.with_for_update()) is not None
