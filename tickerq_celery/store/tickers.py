"""Read and edit runs: time tickers and cron occurrences alike."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Text, func, or_, select, type_coerce, update

from tickerq_celery.clock import Clock
from tickerq_celery.codec import RequestCodec
from tickerq_celery.enums import HoldReason, TickerStatus, TickerType
from tickerq_celery.models import attempts, tickers
from tickerq_celery.sqltypes import sql_now
from tickerq_celery.store import chains, logs
from tickerq_celery.store.claims import rowcount
from tickerq_celery.store.rows import ATTEMPT_COLUMNS, RUN_COLUMNS, cursor_id, page_size, run_view
from tickerq_celery.views import Page, Run

_LARGEST_DELETE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFilter:
    """Which runs to list; None means any, an empty collection of statuses none."""

    function: str | None = None
    statuses: Collection[TickerStatus] | None = None
    type: TickerType | None = None
    cron_ticker_id: UUID | None = None
    parent_id: UUID | None = None
    tag: str | None = None


def get(
    connection: Connection,
    namespace: str,
    ticker_id: UUID,
    *,
    codec: RequestCodec,
    type: TickerType | None = None,
) -> Run | None:
    """Return a run with its attempts and log lines, oldest first, or None."""
    statement = select(*RUN_COLUMNS).where(tickers.c.id == ticker_id, tickers.c.namespace == namespace)
    if type is not None:
        statement = statement.where(tickers.c.type == int(type))
    row = connection.execute(statement).one_or_none()
    if row is None:
        return None
    made = connection.execute(
        select(*ATTEMPT_COLUMNS).where(attempts.c.ticker_id == ticker_id).order_by(attempts.c.claim_no)
    )
    return run_view(row, codec, made, logs.read(connection, ticker_id, row.claim_no))


def find(
    connection: Connection,
    namespace: str,
    wanted: RunFilter,
    *,
    codec: RequestCodec,
    limit: int,
    cursor: str | None,
) -> Page[Run]:
    """Return a page of runs, the newest first."""
    size = page_size(limit)
    statement = select(*RUN_COLUMNS).where(tickers.c.namespace == namespace, *_conditions(wanted))
    after = cursor_id(cursor)
    if after is not None:
        statement = statement.where(tickers.c.id < after)
    rows = connection.execute(statement.order_by(tickers.c.id.desc()).limit(size + 1)).all()
    items = tuple(run_view(row, codec) for row in rows[:size])
    return Page(items=items, next_cursor=str(items[-1].id) if len(rows) > size else None)


def edit(
    connection: Connection,
    clock: Clock,
    namespace: str,
    ticker_id: UUID,
    values: Mapping[str, object],
    *,
    held_for: HoldReason | None,
) -> bool:
    """Change a time ticker that nobody has claimed and that is held for this reason; say whether it was so.

    What an edit means for the due time depends on the hold, which may be lifted meanwhile.
    """
    is_held_so = tickers.c.held_for.is_(None) if held_for is None else tickers.c.held_for == held_for.value
    statement = (
        update(tickers)
        .where(
            tickers.c.id == ticker_id,
            tickers.c.namespace == namespace,
            tickers.c.type == int(TickerType.TIME_TICKER),
            tickers.c.status == TickerStatus.IDLE,
            is_held_so,
        )
        .values(**values, updated_at=sql_now(clock))
    )
    return rowcount(connection, statement) == 1


def remove(connection: Connection, namespace: str, ids: Collection[UUID], *, type: TickerType) -> int:
    """Delete runs with their attempts and children, whatever their status; return how many."""
    remaining = sorted(ids)
    found: list[UUID] = []
    while remaining:
        batch, remaining = remaining[:_LARGEST_DELETE], remaining[_LARGEST_DELETE:]
        # Counted before any is deleted, since one may go as another's child.
        found += connection.scalars(
            select(tickers.c.id)
            .where(tickers.c.id.in_(batch), tickers.c.namespace == namespace, tickers.c.type == int(type))
            .with_for_update()
        )
    chains.remove_with_descendants(connection, found)
    return len(found)


def active_id(connection: Connection, namespace: str, active_key: str) -> UUID | None:
    """Return the id of the run that holds a unique key, or None."""
    return connection.scalar(
        select(tickers.c.id).where(tickers.c.namespace == namespace, tickers.c.active_key == active_key)
    )


def active(connection: Connection, namespace: str, active_key: str, *, codec: RequestCodec) -> Run | None:
    """Return the run that holds a unique key, or None."""
    row = connection.execute(
        select(*RUN_COLUMNS).where(tickers.c.namespace == namespace, tickers.c.active_key == active_key)
    ).one_or_none()
    return None if row is None else run_view(row, codec)


def lock_idle(connection: Connection, ticker_id: UUID) -> bool:
    """Keep an Idle run from being claimed until the transaction ends; say whether it was Idle."""
    statement = select(tickers.c.id).where(tickers.c.id == ticker_id, tickers.c.status == TickerStatus.IDLE)
    return connection.scalar(statement.with_for_update()) is not None


def _conditions(wanted: RunFilter) -> list[Any]:
    conditions: list[Any] = []
    if wanted.function is not None:
        conditions.append(tickers.c.function == wanted.function)
    if wanted.statuses is not None:
        conditions.append(tickers.c.status.in_(list(wanted.statuses)))
    if wanted.type is not None:
        conditions.append(tickers.c.type == int(wanted.type))
    if wanted.cron_ticker_id is not None:
        conditions.append(tickers.c.cron_ticker_id == wanted.cron_ticker_id)
    if wanted.parent_id is not None:
        conditions.append(tickers.c.parent_id == wanted.parent_id)
    if wanted.tag is not None:
        conditions.append(_has_tag(wanted.tag))
    return conditions


def _has_tag(tag: str) -> ColumnElement[bool]:
    # With its quotes and neighbours it is a whole tag: `"eu"` is not in `"europe"`, `","` not in `"a","b"`.
    whole = [f"{before}{json.dumps(tag)}{after}" for before in "[," for after in ",]"]
    tags = type_coerce(tickers.c.tags, Text)
    # Not LIKE, which ignores case on SQLite.
    return or_(*(func.replace(tags, each, "") != tags for each in whole))
