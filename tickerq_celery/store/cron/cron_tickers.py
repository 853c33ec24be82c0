"""Read, edit and advance cron tickers."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import delete, select, update

from tickerq_celery.enums import TickerKind
from tickerq_celery.payload.codec import RequestCodec
from tickerq_celery.store.database.batches import in_parts, insert_if_absent, insert_rows, update_columns
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.reading.row_mapping import changed_columns, cron_columns, cron_row
from tickerq_celery.store.reading.views import CRON_COLUMNS, cron_view, cursor_id, page_size
from tickerq_celery.store.tables import cron_tickers
from tickerq_celery.tickers.cron_rows import CronEdit, CronRow
from tickerq_celery.tickers.pages import Page
from tickerq_celery.tickers.versions import after_change
from tickerq_celery.tickers.views import Cron


def get(tx: Transaction, cron_id: UUID, *, codec: RequestCodec) -> Cron | None:
    """Return a cron ticker, or None."""
    return get_all(tx, [cron_id], codec=codec).get(cron_id)


def get_all(tx: Transaction, ids: Collection[UUID], *, codec: RequestCodec) -> dict[UUID, Cron]:
    """Return those of ``ids`` that are cron tickers."""
    here = select(*CRON_COLUMNS).where(cron_tickers.c.namespace == tx.namespace)
    rows = in_parts(list(ids), lambda part: tx.execute(here.where(cron_tickers.c.id.in_(part))).all())
    return {row.id: cron_view(row, codec) for row in rows}


def insert(tx: Transaction, crons: Sequence[CronRow]) -> None:
    """Store new cron tickers, all or none."""
    insert_rows(tx, cron_tickers, [cron_columns(cron) for cron in crons])


def insert_new(tx: Transaction, crons: Sequence[CronRow]) -> None:
    """Store cron tickers; those whose seed key is stored already stay as they are."""
    insert_if_absent(tx, cron_tickers, [cron_columns(cron) for cron in crons])


def lock(tx: Transaction, cron_id: UUID) -> CronRow | None:
    """Lock a cron ticker and return its row, or None."""
    return lock_all(tx, [cron_id]).get(cron_id)


def lock_all(tx: Transaction, ids: Collection[UUID]) -> dict[UUID, CronRow]:
    """Lock those of ``ids`` that are cron tickers, in their order, and return their rows."""
    here = select(cron_tickers).where(cron_tickers.c.namespace == tx.namespace).order_by(cron_tickers.c.id)
    rows = in_parts(
        sorted(ids),
        lambda part: tx.execute(here.where(cron_tickers.c.id.in_(part)).with_for_update()).all(),
    )
    return {row.id: cron_row(row) for row in rows}


def lock_views(tx: Transaction, ids: Collection[UUID], *, codec: RequestCodec) -> dict[UUID, Cron]:
    """Lock those of ``ids`` that are cron tickers, in their order, and return them as people see them.

    As they are committed, or written here: the snapshot of a caller's transaction may be older.
    """
    here = select(*CRON_COLUMNS).where(cron_tickers.c.namespace == tx.namespace).order_by(cron_tickers.c.id)
    rows = in_parts(
        sorted(ids),
        lambda part: tx.execute(here.where(cron_tickers.c.id.in_(part)).with_for_update()).all(),
    )
    return {row.id: cron_view(row, codec) for row in rows}


def all_rows(tx: Transaction) -> list[CronRow]:
    """Return the rows of all cron tickers of a namespace, by function."""
    here = select(cron_tickers).where(cron_tickers.c.namespace == tx.namespace)
    return [cron_row(row) for row in tx.execute(here.order_by(cron_tickers.c.function, cron_tickers.c.id))]


def lock_free(tx: Transaction, ids: Collection[UUID]) -> list[CronRow]:
    """Lock those of ``ids`` that no other transaction has locked, and return their rows."""
    if not ids:
        return []
    statement = select(cron_tickers).where(cron_tickers.c.id.in_(list(ids)))
    return [cron_row(row) for row in tx.execute(statement.with_for_update(skip_locked=True))]


def find(
    tx: Transaction,
    *,
    function: str | None,
    is_enabled: bool | None,
    codec: RequestCodec,
    limit: int,
    cursor: str | None,
) -> Page[Cron]:
    """Return a page of cron tickers, the newest first."""
    size = page_size(limit)
    statement = select(*CRON_COLUMNS).where(cron_tickers.c.namespace == tx.namespace)
    if function is not None:
        statement = statement.where(cron_tickers.c.function == function)
    if is_enabled is not None:
        statement = statement.where(cron_tickers.c.is_enabled.is_(is_enabled))
    after = cursor_id(cursor)
    if after is not None:
        statement = statement.where(cron_tickers.c.id < after)
    rows = tx.execute(statement.order_by(cron_tickers.c.id.desc()).limit(size + 1)).all()
    items = tuple(cron_view(row, codec) for row in rows[:size])
    return Page(items, next_cursor=str(items[-1].id) if len(rows) > size else None)


def edit(tx: Transaction, before: CronRow, after: CronRow) -> None:
    """Write what has changed of a cron ticker that this transaction has locked, and read as ``before``."""
    values = changed_columns(before, after) | {"updated_at": after_change(before.updated_at, tx.now)}
    tx.execute(update(cron_tickers).where(cron_tickers.c.id == before.id).values(values))


def close(tx: Transaction, ids: Collection[UUID], *, by: str | None) -> None:
    """Pause cron tickers that are going to be deleted, so that they get no more occurrences.

    They keep their version: who has seen them may delete them again, where the deletion breaks off.
    """
    tx.execute(
        update(cron_tickers)
        .where(
            cron_tickers.c.id.in_(list(ids)),
            cron_tickers.c.namespace == tx.namespace,
            cron_tickers.c.is_enabled.is_(True),
        )
        .values(
            is_enabled=False,
            paused_reason="it is being deleted",
            paused_by=by,
            paused_at=tx.sql_now(),
            next_run_at=None,
        )
    )


def remove(tx: Transaction, ids: Collection[UUID]) -> int:
    """Delete cron tickers with their occurrences; return how many cron tickers."""
    statement = delete(cron_tickers).where(
        cron_tickers.c.id.in_(list(ids)), cron_tickers.c.namespace == tx.namespace
    )
    return tx.execute(statement).rowcount


def paused_among(tx: Transaction, ids: Collection[UUID]) -> set[UUID]:
    """Return those of ``ids`` that are paused."""
    if not ids:
        return set()
    statement = select(cron_tickers.c.id).where(
        cron_tickers.c.id.in_(list(ids)), cron_tickers.c.is_enabled.is_(False)
    )
    return set(tx.scalars(statement))


def seeded(tx: Transaction, keys: Collection[str]) -> dict[str, CronRow]:
    """Return the rows of cron tickers that code defined, by their seed key."""
    statement = select(cron_tickers).where(
        cron_tickers.c.namespace == tx.namespace, cron_tickers.c.seed_key.in_(list(keys))
    )
    return {row.seed_key: cron_row(row) for row in tx.execute(statement)}


def lock_seeded_except(tx: Transaction, keys: Collection[str]) -> list[CronRow]:
    """Lock and return the enabled cron tickers of functions that code defined, but for those of ``keys``."""
    statement = select(cron_tickers).where(
        cron_tickers.c.namespace == tx.namespace,
        cron_tickers.c.seed_expression.is_not(None),
        cron_tickers.c.kind == TickerKind.FUNCTION.value,
        cron_tickers.c.seed_key.not_in(list(keys)),
        cron_tickers.c.is_enabled.is_(True),
    )
    return [cron_row(row) for row in tx.execute(statement.with_for_update())]


def edit_all(tx: Transaction, edits: Sequence[CronEdit]) -> None:
    """Write what has changed of cron tickers that this transaction has locked, and read as ``before``."""
    alike: dict[frozenset[str], list[CronEdit]] = {}
    for each in edits:
        alike.setdefault(frozenset(changed_columns(each.before, each.after)), []).append(each)
    for names, group in alike.items():
        changed = [cron_columns(each.after, names) for each in group]
        columns: dict[str, list[object]] = {name: [each[name] for each in changed] for name in names}
        columns["updated_at"] = [after_change(each.before.updated_at, tx.now) for each in group]
        update_columns(tx, cron_tickers, [each.after.id for each in group], columns)
