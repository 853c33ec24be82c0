"""Let a run that did not succeed start again, in the transaction that it is given."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from tickerq_celery.cron.overlap import queue_retry
from tickerq_celery.enums import RETRIABLE, TickerKind, TickerStatus
from tickerq_celery.errors import DuplicateTickerError, TickerStateError
from tickerq_celery.store.cron import cron_tickers
from tickerq_celery.store.database.transaction import Transaction, savepoint
from tickerq_celery.store.runs import manual_retries
from tickerq_celery.tickers.known_outcomes import refused_status


class RetriableRun(Protocol):
    """What must be known of a run that has ended, so that it can start again."""

    @property
    def id(self) -> UUID:
        """Its id."""

    @property
    def status(self) -> TickerStatus:
        """How it ended."""

    @property
    def started_at(self) -> datetime | None:
        """When its last attempt began, or None."""

    @property
    def kind(self) -> TickerKind:
        """What its message asks for."""

    @property
    def cron_ticker_id(self) -> UUID | None:
        """The cron ticker whose occurrence it is, or None."""

    @property
    def unique_key(self) -> str | None:
        """Its unique key, or None."""


def retry(tx: Transaction, run: RetriableRun) -> None:
    """Make a run due that did not succeed, with all of its retries, or let it wait for its overlap lock.

    Raises:
        TickerStateError: It has not ended, or it has succeeded; or it is no run, but the record of instants
            that did not run.
        DuplicateTickerError: Another ticker has taken its unique key meanwhile.
    """
    if run.status not in RETRIABLE:
        raise TickerStateError(run.id, refused_status(run.kind, run.status, run.started_at), "retried")
    if manual_retries.is_record(tx, run.id):
        raise TickerStateError(run.id, "the record of instants that did not run", "retried")
    cron = None
    if run.cron_ticker_id is not None:
        cron = cron_tickers.lock(tx, run.cron_ticker_id)
    try:
        with savepoint(tx):
            is_done = manual_retries.retry(tx, run.id, task_id=_new_task_id(tx, run))
    except IntegrityError as error:
        raise DuplicateTickerError(run.unique_key or "") from error
    if not is_done:
        raise TickerStateError(run.id, "changed by another process just now", "retried")
    if cron is not None:
        queue_retry(tx, cron, run.id)


def needs_new_task_id(run: RetriableRun) -> bool:
    """Return True for a cancelled Celery task: workers remember what was revoked."""
    return run.kind is TickerKind.CELERY_TASK and run.status is TickerStatus.CANCELLED


def _new_task_id(tx: Transaction, run: RetriableRun) -> str | None:
    return f"{run.id}:{manual_retries.claim_count(tx, run.id) + 1}" if needs_new_task_id(run) else None
