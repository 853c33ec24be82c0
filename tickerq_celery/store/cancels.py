"""What is asked of runs under way, and which of them may run alone."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, and_, or_, select, update
from sqlalchemy.exc import IntegrityError

from tickerq_celery.clock import Clock
from tickerq_celery.enums import CancelRequest, TickerStatus, TickerType
from tickerq_celery.store.attempts import STARTED, is_running, started
from tickerq_celery.store.database.database import rowcount, savepoint
from tickerq_celery.store.runs import one
from tickerq_celery.store.tables import tickers
from tickerq_celery.store.tables.column_types import sql_now
from tickerq_celery.tickers.claims import Started


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked:
    """A run that this transaction has locked, and how it stood then."""

    run: Started
    status: TickerStatus


def lock(
    connection: Connection, namespace: str, ticker_id: UUID, *, type: TickerType | None
) -> Locked | None:
    """Lock a run, or return None where there is none, or another transaction has it."""
    statement = select(*STARTED, tickers.c.status).where(one(namespace, ticker_id, type))
    row: Any = connection.execute(statement.with_for_update(skip_locked=True)).one_or_none()
    return None if row is None else Locked(run=started(row), status=row.status)


def request(connection: Connection, clock: Clock, run: Started, wanted: CancelRequest) -> bool:
    """Ask a run that is under way to end; say whether this claim still was.

    Who has asked for its process to be killed is not contradicted by who asks it to end.
    """
    if run.cancel_request is CancelRequest.TERMINATE:
        return True
    statement = (
        update(tickers)
        .where(is_running(run.id, run.claim_no))
        .values(cancel_request=wanted.value, updated_at=sql_now(clock))
    )
    return rowcount(connection, statement) == 1


def is_requested(connection: Connection, run: Started) -> bool:
    """Whether somebody has asked this claim to end."""
    asked = connection.scalar(select(tickers.c.cancel_request).where(is_running(run.id, run.claim_no)))
    return asked is not None


def take_alone(connection: Connection, run: Started) -> bool:
    """Let an occurrence be the one of its cron ticker that runs, until it ends; say whether it may.

    Of several that have started, the one of the lowest execution time and id may, unless another was let
    before it started.
    """
    return not _has_elder(connection, run) and _take(connection, run)


def _has_elder(connection: Connection, run: Started) -> bool:
    is_elder = or_(
        tickers.c.execution_time < run.execution_time,
        and_(tickers.c.execution_time == run.execution_time, tickers.c.id < run.id),
    )
    found = connection.scalar(
        select(tickers.c.id)
        .where(tickers.c.running_on.is_not(None), tickers.c.cron_ticker_id == run.cron_ticker_id, is_elder)
        .limit(1)
    )
    return found is not None


def _take(connection: Connection, run: Started) -> bool:
    mine = update(tickers).where(is_running(run.id, run.claim_no)).values(alone_for=run.cron_ticker_id)
    try:
        with savepoint(connection):
            return rowcount(connection, mine) == 1
    except IntegrityError:
        return False
