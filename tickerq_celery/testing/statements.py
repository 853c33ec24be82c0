"""What only tests ask of the store: what was skipped, what is held, what is scheduled most."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, func, select

from tickerq_celery.enums import UNSTARTED, TickerStatus
from tickerq_celery.store.cron import pauses
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.reading.row_mapping import cron_row
from tickerq_celery.store.tables import cron_tickers, tickers
from tickerq_celery.tickers.cron_rows import CronRow
from tickerq_celery.tickers.pauses import covering


def has_held(tx: Transaction) -> bool:
    """Return True if runs are held, by whatever."""
    is_held = exists().where(tickers.c.namespace == tx.namespace, tickers.c.held_for.is_not(None))
    return bool(tx.scalar(select(is_held)))


def skipped_since(tx: Transaction, moment: datetime, but: Collection[UUID]) -> list[tuple[UUID, datetime]]:
    """Return the runs that were skipped at or after a moment, with their ends, oldest first."""
    rows = tx.execute(
        select(tickers.c.id, tickers.c.ended_at)
        .where(
            tickers.c.namespace == tx.namespace,
            tickers.c.status == TickerStatus.SKIPPED,
            tickers.c.ended_at >= moment,
        )
        .order_by(tickers.c.ended_at, tickers.c.id)
    )
    return [(row.id, row.ended_at) for row in rows if row.id not in but]


def ids(tx: Transaction, *, function: str | None = None) -> list[UUID]:
    """Return the runs, or those of a function, that have not begun; the oldest first."""
    statement = select(tickers.c.id).where(
        tickers.c.namespace == tx.namespace, tickers.c.status.in_(UNSTARTED)
    )
    if function is not None:
        statement = statement.where(tickers.c.function == function)
    return list(tx.scalars(statement.order_by(tickers.c.id)))


def crons_due(tx: Transaction, until: datetime) -> list[CronRow]:
    """Return the cron tickers with an instant up to a moment, but for paused and unreadable ones."""
    paused = pauses.list_pauses(tx)
    rows = tx.execute(
        select(cron_tickers).where(
            cron_tickers.c.namespace == tx.namespace, cron_tickers.c.next_run_at <= until
        )
    )
    return [
        cron
        for cron in map(cron_row, rows)
        if cron.flaw is None and covering(paused, cron.function, cron.tags) is None
    ]


def most_frequent(tx: Transaction) -> str:
    """Return the cron ticker, or the function, that has the most runs."""
    count = func.count()
    row = tx.execute(
        select(tickers.c.function, tickers.c.cron_ticker_id)
        .where(tickers.c.namespace == tx.namespace)
        .group_by(tickers.c.function, tickers.c.cron_ticker_id)
        .order_by(count.desc())
        .limit(1)
    ).one()
    if row.cron_ticker_id is None:
        return f"function {row.function}"
    found = tx.execute(select(cron_tickers).where(cron_tickers.c.id == row.cron_ticker_id)).one_or_none()
    return f"function {row.function}" if found is None else name_of(cron_row(found))


def name_of(cron: CronRow) -> str:
    """Return how an error names a cron ticker."""
    return f"cron ticker {cron.function} ({cron.expression})"
