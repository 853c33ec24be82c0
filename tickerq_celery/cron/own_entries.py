"""Entries in the audit of what TickerQ does to a cron ticker by itself, in the transaction of the change."""

from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.records import audit
from tickerq_celery.store.records.audit import Draft
from tickerq_celery.tickers.actor import ITSELF
from tickerq_celery.tickers.audit import RELEASED, ObjectKind
from tickerq_celery.tickers.cron_rows import CronRow
from tickerq_celery.tickers.effect import Change, Shown


def record_pause(tx: Transaction, cron: CronRow, *, reason: str) -> None:
    """Record that TickerQ has paused a cron ticker, which this transaction has done."""
    _record(tx, cron, "cron_tickers.pause", is_enabled=False, reason=reason, others={})


def record_resume(tx: Transaction, cron: CronRow, *, reason: str, released: int) -> None:
    """Record that TickerQ has resumed a cron ticker, with how many runs that released."""
    _record(tx, cron, "cron_tickers.resume", is_enabled=True, reason=reason, others={RELEASED: released})


def _record(
    tx: Transaction,
    cron: CronRow,
    action: str,
    *,
    is_enabled: bool,
    reason: str,
    others: Shown,
) -> None:
    draft = Draft(
        action=action,
        object_kind=ObjectKind.CRON_TICKER.value,
        object_id=str(cron.id),
        actor=ITSELF,
        reason=reason,
    )
    before, after = {"is_enabled": not is_enabled}, {"is_enabled": is_enabled, **others}
    audit.add(tx, draft, Change(ids=[cron.id], before=before, after=after))
