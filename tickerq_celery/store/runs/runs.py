"""Read and edit runs: time tickers and cron occurrences alike."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select

from tickerq_celery.enums import CLAIMED, TERMINAL, TickerStatus, TickerType
from tickerq_celery.payload.codec import RequestCodec
from tickerq_celery.store.database.batches import MOST_ROWS, among, in_parts, insert_columns, update_columns
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.reading import active_runs
from tickerq_celery.store.reading.filters import conditions
from tickerq_celery.store.reading.index_scans import limited_union
from tickerq_celery.store.reading.row_mapping import columns_of_runs
from tickerq_celery.store.reading.views import (
    ATTEMPT_COLUMNS,
    RUN_COLUMNS,
    cursor_id,
    page_size,
    run_view,
)
from tickerq_celery.store.runs import logs
from tickerq_celery.store.tables import attempts, tickers
from tickerq_celery.tickers.criteria import RunFilter
from tickerq_celery.tickers.pages import Page
from tickerq_celery.tickers.run_rows import RunRow
from tickerq_celery.tickers.versions import after_change
from tickerq_celery.tickers.views import Run


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
    for first in range(0, len(rows), MOST_ROWS):
        insert_columns(tx, tickers, columns_of_runs(rows[first : first + MOST_ROWS]))


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
    tx: Transaction,
    ids: Sequence[UUID],
    *,
    codec: RequestCodec,
    type: TickerType | None = None,
    locks: bool = False,
) -> dict[UUID, Run]:
    """Return those of ``ids`` that are runs, each with its attempts and log lines, oldest first.

    With ``locks`` as they are committed, or written here: a caller's snapshot may be older.
    """

    def read(part: Sequence[UUID]) -> Sequence[Row[Any]]:
        statement = _among(tx, part, type)
        return tx.execute(statement.with_for_update(of=tickers) if locks else statement).all()

    rows = in_parts(ids, read)
    found = [row.id for row in rows]
    made: dict[UUID, list[Row[Any]]] = {}
    for attempt in in_parts(found, lambda part: tx.execute(_attempts_of(tx, part)).all()):
        made.setdefault(attempt.ticker_id, []).append(attempt)
    lines = logs.read(tx, found)
    return {row.id: run_view(row, codec, made.get(row.id, ()), lines.get(row.id, ())) for row in rows}


def lock_all(
    tx: Transaction, ids: Collection[UUID], *, codec: RequestCodec, type: TickerType | None
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
    meets = or_(*(and_(*each) for each in _scans(tx, wanted)))
    if wanted.status and CLAIMED.issuperset(wanted.status):
        # As few as are claimed at once: SQLite would look for them through all runs, in the order of ids.
        meets = tickers.c.id.in_(select(tickers.c.id).where(meets).correlate(None))
    statement = select(*RUN_COLUMNS).where(meets)
    after = cursor_id(cursor)
    if after is not None:
        statement = statement.where(tickers.c.id < after)
    rows = tx.execute(statement.order_by(tickers.c.id.desc()).limit(size + 1)).all()
    lines = logs.read(tx, [row.id for row in rows[:size]]) if with_logs else {}
    items = tuple(run_view(row, codec, log_lines=lines.get(row.id, ())) for row in rows[:size])
    return Page(items, next_cursor=str(items[-1].id) if len(rows) > size else None)


def count(tx: Transaction, wanted: RunFilter, *, limit: int) -> int:
    """Return how many runs there are, counting no further than ``limit``."""
    parts = [select(tickers.c.id).where(*scan).limit(limit) for scan in _scans(tx, wanted)]
    some = parts[0] if len(parts) == 1 else limited_union(tx.connection.dialect.name, parts).limit(limit)
    return tx.scalars(select(func.count()).select_from(some.subquery())).one()


def _scans(tx: Transaction, wanted: RunFilter) -> Iterator[Sequence[ColumnElement[bool]]]:
    """Return the conditions of the runs that are wanted, apart where different indexes find them."""
    if wanted.status and TERMINAL.isdisjoint(wanted.status):
        others = conditions(tx, replace(wanted, status=None))
        return ((*part, *others) for part in active_runs.parts(tx, wanted.status))
    in_namespace = tickers.c.namespace == tx.namespace if wanted.held_for is None else active_runs.own(tx)
    return iter([(in_namespace, *conditions(tx, wanted))])


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
            select(*columns).where(tickers.c.namespace == tx.namespace, among(tx, tickers.c.active_key, part))
        ).all(),
    )
    return {row.active_key: run_view(row, codec) for row in rows}


def lock_idle(tx: Transaction, ids: Collection[UUID]) -> list[UUID]:
    """Keep Idle runs from being claimed until the transaction ends; return those that were Idle."""
    is_idle = select(tickers.c.id).where(tickers.c.status == TickerStatus.IDLE).order_by(tickers.c.id)
    return in_parts(
        sorted(ids),
        lambda part: tx.scalars(is_idle.where(among(tx, tickers.c.id, part)).with_for_update()).all(),
    )


def _among(tx: Transaction, ids: Sequence[UUID], type: TickerType | None) -> Select[Any]:
    is_one = among(tx, tickers.c.id, ids)
    found = select(*RUN_COLUMNS).where(is_one, tickers.c.namespace == tx.namespace)
    return (found if type is None else found.where(tickers.c.type == int(type))).order_by(tickers.c.id)


def _attempts_of(tx: Transaction, ids: Sequence[UUID]) -> Select[Any]:
    return (
        select(*ATTEMPT_COLUMNS)
        .where(among(tx, attempts.c.ticker_id, ids))
        .order_by(attempts.c.ticker_id, attempts.c.number)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """The columns ``names`` of ``row``, which a time ticker is to get that was changed ``edited_before``."""

    id: UUID
    edited_before: datetime
    row: RunRow
    names: frozenset[str]


def edit_all(tx: Transaction, edits: Sequence[Edit]) -> None:
    """Write changes into Idle runs that this transaction has locked, however many with one statement."""
    alike: dict[frozenset[str], list[Edit]] = {}
    for each in edits:
        alike.setdefault(each.names, []).append(each)
    is_idle = tickers.c.status == TickerStatus.IDLE
    for names, group in alike.items():
        columns = columns_of_runs([each.row for each in group], names)
        columns["updated_at"] = [after_change(each.edited_before, tx.now) for each in group]
        written = update_columns(tx, tickers, [each.id for each in group], columns, is_idle)
        if written != len(group):
            raise AssertionError(f"edited {written} of {len(group)} locked runs")
