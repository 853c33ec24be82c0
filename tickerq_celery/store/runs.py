"""Read and edit runs: time tickers and cron occurrences alike."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, and_, func, select, update

from tickerq_celery.enums import RETRIABLE, TickerStatus, TickerType
from tickerq_celery.payload.codec import RequestCodec
from tickerq_celery.store import chains, logs
from tickerq_celery.store.database.batches import in_parts, insert_rows
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
from tickerq_celery.tickers.pages import Page
from tickerq_celery.tickers.run_rows import RunRow
from tickerq_celery.tickers.views import Run

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
    return get_all(tx, [ticker_id], codec=codec, type=type).get(ticker_id)


def get_all(
    tx: Transaction, ids: Sequence[UUID], *, codec: RequestCodec, type: TickerType | None = None
) -> dict[UUID, Run]:
    """Return those of ``ids`` that are runs, each with its attempts and log lines, oldest first."""
    rows = in_parts(ids, lambda part: tx.execute(_among(tx, part, type)).all())
    found = [row.id for row in rows]
    made: dict[UUID, list[Row[Any]]] = {}
    for attempt in in_parts(found, lambda part: tx.execute(_attempts_of(part)).all()):
        made.setdefault(attempt.ticker_id, []).append(attempt)
    lines = logs.read(tx, found)
    return {row.id: run_view(row, codec, made.get(row.id, ()), lines.get(row.id, ())) for row in rows}


def lock_all(
    tx: Transaction, ids: Collection[UUID], *, codec: RequestCodec, type: TickerType
) -> dict[UUID, Run]:
    """Lock those of ``ids`` that are runs, in their order; return them without attempts and log lines."""
    rows = in_parts(
        sorted(ids), lambda part: tx.execute(_among(tx, part, type).with_for_update(of=tickers)).all()
    )
    return {row.id: run_view(row, codec) for row in rows}


def find(
    tx: Transaction,
    wanted: RunFilter,
    *,
    codec: RequestCodec,
    limit: int,
    cursor: str | None,
    with_logs: bool = False,
) -> Page[Run]:
    """Return a page of runs, the newest first."""
    size = page_size(limit)
    statement = select(*RUN_COLUMNS).where(tickers.c.namespace == tx.namespace, *conditions(wanted))
    after = cursor_id(cursor)
    if after is not None:
        statement = statement.where(tickers.c.id < after)
    rows = tx.execute(statement.order_by(tickers.c.id.desc()).limit(size + 1)).all()
    lines = logs.read(tx, [row.id for row in rows[:size]]) if with_logs else {}
    items = tuple(run_view(row, codec, log_lines=lines.get(row.id, ())) for row in rows[:size])
    return Page(items, next_cursor=str(items[-1].id) if len(rows) > size else None)


def count(tx: Transaction, wanted: RunFilter, *, limit: int) -> int:
    """Return how many runs there are, counting no further than ``limit``."""
    some = select(tickers.c.id).where(tickers.c.namespace == tx.namespace, *conditions(wanted)).limit(limit)
    return tx.scalars(select(func.count()).select_from(some.subquery())).one()


def retry(tx: Transaction, ticker_id: UUID, *, task_id: str | None = None) -> bool:
    """Make a run due that did not succeed, with all of its retries; return True if it had ended so.

    A ``task_id`` becomes that of its messages.
    """
    own_id = {} if task_id is None else {"task_id": task_id}
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
            **own_id,
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


def claim_count(tx: Transaction, ticker_id: UUID) -> int:
    """Return how often a run has been claimed."""
    count: int = tx.scalars(select(tickers.c.claim_no).where(tickers.c.id == ticker_id)).one()
    return count


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


def active(tx: Transaction, keys: Sequence[str], *, codec: RequestCodec) -> dict[str, Run]:
    """Return the runs that hold unique keys, by the key."""
    columns = (*RUN_COLUMNS, tickers.c.active_key)
    rows = in_parts(
        keys,
        lambda part: tx.execute(
            select(*columns).where(tickers.c.namespace == tx.namespace, tickers.c.active_key.in_(part))
        ).all(),
    )
    return {row.active_key: run_view(row, codec) for row in rows}


def lock_idle(tx: Transaction, ids: Collection[UUID]) -> list[UUID]:
    """Keep Idle runs from being claimed until the transaction ends; return those that were Idle."""
    is_idle = select(tickers.c.id).where(tickers.c.status == TickerStatus.IDLE).order_by(tickers.c.id)
    return in_parts(
        sorted(ids),
        lambda part: tx.scalars(is_idle.where(tickers.c.id.in_(part)).with_for_update()).all(),
    )


def _among(tx: Transaction, ids: Sequence[UUID], type: TickerType | None) -> Select[Any]:
    found = select(*RUN_COLUMNS).where(tickers.c.id.in_(ids), tickers.c.namespace == tx.namespace)
    return (found if type is None else found.where(tickers.c.type == int(type))).order_by(tickers.c.id)


def _attempts_of(ids: Sequence[UUID]) -> Select[Any]:
    return (
        select(*ATTEMPT_COLUMNS)
        .where(attempts.c.ticker_id.in_(ids))
        .order_by(attempts.c.ticker_id, attempts.c.number)
    )
