"""Which cron tickers are failing: what of them ended last has failed, or their failures have paused them."""

from datetime import datetime

from sqlalchemy import ColumnElement, ScalarSelect, and_, case, func, literal, or_, select

from tickerq_celery.enums import TickerStatus
from tickerq_celery.store.cron.cron_pauses import BY_FAILURES
from tickerq_celery.store.database.dialects import dialect_of
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.reading.index_scans import EARLIEST
from tickerq_celery.store.tables import cron_tickers, tickers

# Rows that are read to know it of one: its own, its last failure twice, and its last end of two statuses.
ROWS_READ = 5
_C, _T = cron_tickers.c, tickers.c
_INDEX = "ix_tickerq_tickers_cron"


def is_failing(tx: Transaction, *, wanted: bool) -> ColumnElement[bool]:
    """Return the condition that a cron ticker is failing, or that it is not.

    Done, DueDone and Failed count, also of manual runs; what was cancelled or skipped says nothing.
    """
    failed = _last(tx, TickerStatus.FAILED)
    last_failed = and_(
        *(
            failed > func.coalesce(_last(tx, status), literal(EARLIEST, _T.ended_at.type))
            for status in (TickerStatus.DONE, TickerStatus.DUE_DONE)
        )
    )
    paused = and_(_C.is_enabled.is_(False), _C.paused_by == BY_FAILURES)
    # Without any end it is unknown, which is no.
    return case((or_(paused, last_failed), 1), else_=0) == int(wanted)


def _last(tx: Transaction, status: TickerStatus) -> ScalarSelect[datetime]:
    """Return when a cron ticker's last run of one status ended."""
    newest = (
        select(_T.ended_at)
        .where(_T.cron_ticker_id == _C.id, _T.ended_status == status, _T.ended_at >= EARLIEST)
        .order_by(_T.ended_at.desc())
        .limit(1)
        .correlate(cron_tickers)
    )
    hint = dialect_of(tx.connection.dialect.name).index_hint(_INDEX)
    return (newest if hint is None else newest.with_hint(tickers, hint)).scalar_subquery()
