"""The pause of one cron ticker: by an operator, by its own failures, or as no code defines it any more."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from tickerq_celery.enums import DECIDED, TickerStatus
from tickerq_celery.store.cron.cron_tickers import edit
from tickerq_celery.store.cron.occurrences import hold_pending
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.reading.row_mapping import cron_row
from tickerq_celery.store.tables import cron_tickers, tickers
from tickerq_celery.tickers.cron_rows import CronRow

# Who pauses a cron ticker after failures.
BY_FAILURES = "tickerq"
ORPHANED = "no beat's code defines this entry any more"
# Of those without a next run, and of the latest instants of one, of which few were skipped since it failed.
_LOOKED_AT, _LATEST = 1_000, 100
# How much of an error is shown.
_HEAD = 200


def is_orphaned(cron: CronRow) -> bool:
    """Return True if a cron ticker is paused since no beat's code has its entry, and not by an operator."""
    return not cron.is_enabled and cron.paused_reason == ORPHANED and cron.paused_by is None


def pause(tx: Transaction, cron: CronRow, *, reason: str | None, by: str | None) -> None:
    """Stop a locked cron ticker from firing, and hold its occurrences that are due."""
    paused = replace(
        cron,
        is_enabled=False,
        paused_reason=reason,
        paused_by=by,
        paused_at=tx.now,
        resume_from=cron.first_unrecorded,
        next_run_at=None,
    )
    edit(tx, cron, paused)
    hold_pending(tx, cron.id)


def lock_pausable(tx: Transaction, cron_id: UUID) -> CronRow | None:
    """Lock a cron ticker that failures may pause; None where they may not, or another has it locked."""
    row = tx.execute(
        select(cron_tickers)
        .where(
            cron_tickers.c.id == cron_id,
            cron_tickers.c.is_enabled.is_(True),
            cron_tickers.c.pause_on_failure.is_not(None),
        )
        .with_for_update(skip_locked=True)
    ).one_or_none()
    return None if row is None else cron_row(row)


def failures_in_a_row(tx: Transaction, cron: CronRow, *, among_latest: int | None) -> int:
    """Return how many of a cron ticker's latest instants have failed, since it was resumed the last time.

    At most as many as pause it; those that did not end by themselves do not count, nor those before a pruned
    one, which may have succeeded. ``among_latest`` is how many instants are looked through for them, None for
    all.
    """
    latest = (
        select(tickers.c.instant, tickers.c.status, tickers.c.ended_at)
        .where(tickers.c.cron_ticker_id == cron.id, tickers.c.instant.is_not(None))
        .order_by(tickers.c.instant.desc())
        .limit(among_latest)
        .subquery()
    )
    statement = (
        select(latest.c.status)
        .where(latest.c.status.in_(DECIDED))
        .order_by(latest.c.instant.desc())
        .limit(cron.pause_on_failure)
    )
    if cron.pruned_until is not None:
        statement = statement.where(latest.c.instant > cron.pruned_until)
    if cron.resumed_at is not None:
        statement = statement.where(latest.c.ended_at > cron.resumed_at)
    count = 0
    for status in tx.scalars(statement):
        if status is not TickerStatus.FAILED:
            break
        count += 1
    return count


@dataclass(frozen=True, slots=True, kw_only=True)
class PausedCron:
    """A cron ticker that is paused by itself, and not with its function or a tag.

    ``error_type`` is that of its last failure where failures paused it, and ``error_head`` how its message
    begins.
    """

    id: UUID
    function: str
    expression: str
    reason: str | None
    paused_by: str | None
    paused_at: datetime | None
    error_type: str | None = None
    error_head: str | None = None
    description: str | None = None


def paused(tx: Transaction, *, most: int) -> list[PausedCron]:
    """Return cron tickers that are paused, ``most`` of them; not those that no code defines any more."""
    columns = (
        cron_tickers.c.id,
        cron_tickers.c.function,
        cron_tickers.c.expression,
        cron_tickers.c.description,
        cron_tickers.c.paused_reason.label("reason"),
        cron_tickers.c.paused_by,
        cron_tickers.c.paused_at,
        cron_tickers.c.is_enabled,
    )
    # Those without a next run: beside the paused ones they are those that are over, or suspended.
    some = (
        select(*columns)
        .where(cron_tickers.c.namespace == tx.namespace, cron_tickers.c.next_run_at.is_(None))
        # As the index has them.
        .order_by(cron_tickers.c.next_run_at, cron_tickers.c.id)
        .limit(_LOOKED_AT)
        .subquery()
    )
    rows = tx.execute(
        select(*(column for column in some.c if column.name != "is_enabled"))
        .where(some.c.is_enabled.is_(False))
        .order_by(some.c.paused_at)
    )
    found = [PausedCron(**row._asdict()) for row in rows]
    shown = [each for each in found if each.reason != ORPHANED or each.paused_by is not None][:most]
    return [_with_last_error(tx, each) if each.paused_by == BY_FAILURES else each for each in shown]


def _with_last_error(tx: Transaction, cron: PausedCron) -> PausedCron:
    """Return a cron ticker with the type and the head of the last failure among its latest instants."""
    error_type = tickers.c.exception_type.label("error_type")
    head = func.substr(tickers.c.exception_message, 1, _HEAD).label("error_head")
    latest = (
        select(tickers.c.instant, tickers.c.status, error_type, head)
        .where(tickers.c.cron_ticker_id == cron.id, tickers.c.instant.is_not(None))
        .order_by(tickers.c.instant.desc())
        .limit(_LATEST)
        .subquery()
    )
    failed = latest.c.status == TickerStatus.FAILED
    row = tx.execute(
        select(latest.c.error_type, latest.c.error_head)
        .where(failed)
        .order_by(latest.c.instant.desc())
        .limit(1)
    ).one_or_none()
    return cron if row is None else replace(cron, error_type=row.error_type, error_head=row.error_head)
