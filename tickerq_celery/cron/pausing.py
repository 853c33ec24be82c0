"""Pause and resume cron tickers: what is kept of the instants in between, and pauses by failures."""

import logging
from dataclasses import replace
from uuid import UUID

from tickerq_celery.cron.own_entries import record_pause
from tickerq_celery.cron.rescheduling import missed_by, paused_reason, record_missed
from tickerq_celery.enums import HoldReason
from tickerq_celery.store.cron import cron_pauses, cron_tickers, paused_crons, pauses
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.runs import holds
from tickerq_celery.tickers.cron_rows import CronRow
from tickerq_celery.tickers.pauses import covering

logger = logging.getLogger(__name__)
_SUSPENDED_AT_ONCE = 100
_MOST_PENDING = 10_000
# Where a fire looks for failures: as a second-by-second cron ticker may fire, it must not take long.
_LATEST = 1_000


def resume(
    tx: Transaction,
    cron: CronRow,
    *,
    missed: bool,
    by: str | None = None,
    reason: str | None = None,
) -> None:
    """Let a locked cron ticker fire again from its next instant on, with who ended its own pause and why.

    The instants that passed in the pause get one record; ``missed`` leaves them to the misfire policy.
    """
    now = tx.now
    passed = missed_by(cron, now)
    next_run_at = cron.resume_from or cron.next_run_after(now)
    if passed is not None and not missed:
        record_missed(tx, cron, passed, reason=paused_reason(cron, passed))
    if next_run_at is not None and next_run_at <= now and not missed:
        next_run_at = cron.next_run_after(now)
    # The pause of a function says nothing about the failures before it.
    enabled = cron if cron.is_enabled else cron.resumed(now, by=by, reason=reason)
    resumed = replace(enabled.not_paused(), resume_from=None, next_run_at=next_run_at)
    cron_tickers.edit(tx, cron, resumed)


def resume_with_held(
    tx: Transaction,
    cron: CronRow,
    *,
    missed: bool,
    by: str | None = None,
    reason: str | None = None,
) -> int:
    """Let a cron ticker that was paused itself fire again, and what the pause holds run; see ``resume``.

    Where a pause of more than it alone covers it still, the end of that one decides on what passed. Returns
    how many runs it has released.
    """
    left = pauses.of_cron(tx, cron)
    # One that was added paused has not waited for any instant yet.
    following = cron.resume_from or cron.next_run_after(tx.now)
    if left is None or following is None:
        resume(tx, cron, missed=missed, by=by, reason=reason)
    else:
        enabled = replace(cron.resumed(tx.now, by=by, reason=reason), resume_from=following)
        cron_tickers.edit(tx, cron, enabled)
        paused_crons.suspend(tx, [cron.id], left)
    released = holds.release(tx, reason=HoldReason.PAUSED, keys=[str(cron.id)], limit=_MOST_PENDING)
    return len(released)


def resume_suspended(tx: Transaction, *, after: UUID | None) -> UUID | None:
    """Let cron tickers fire again, from their next instants on, that no pause covers any more.

    Looks at a batch of those that wait for that, and returns after which one to go on, None at the end.
    """
    suspended = paused_crons.lock_suspended(tx, after=after, limit=_SUSPENDED_AT_ONCE)
    if not suspended:
        return None
    here = pauses.list_pauses(tx)
    for cron in suspended:
        if covering(here, cron.function, cron.tags) is None:
            _resume_one(tx, cron)
    return suspended[-1].id if len(suspended) == _SUSPENDED_AT_ONCE else None


def _resume_one(tx: Transaction, cron: CronRow) -> None:
    try:
        resume(tx, cron, missed=False)
    except ValueError as error:
        # As in a fire: one that this machine cannot read is stopped, and keeps no other from going on.
        logger.error("cron ticker %s cannot fire any more: %s", cron.id, error)  # noqa: TRY400
        cron_tickers.edit(tx, cron, replace(cron, resume_from=None))


def pause_if_failing(
    tx: Transaction,
    cron: CronRow,
    *,
    among_latest: int | None = _LATEST,
) -> bool:
    """Pause a locked cron ticker whose latest occurrences failed, as many as it allows; return True if so.

    Looks for their ends ``among_latest`` instants; None for all there are.
    """
    most = cron.pause_on_failure
    if most is None or cron_pauses.failures_in_a_row(tx, cron, among_latest=among_latest) < most:
        return False
    reason = f"{most} occurrences in a row have failed" if most > 1 else "an occurrence has failed"
    cron_pauses.pause(tx, cron, reason=reason, by=cron_pauses.BY_FAILURES)
    record_pause(tx, cron, reason=reason)
    logger.error("cron ticker %s of %s is paused: %s", cron.id, cron.function, reason)
    return True


def after_a_failure(tx: Transaction, cron_id: UUID) -> None:
    """Pause the cron ticker of an occurrence that has just failed, if that was one too many.

    Where another process has it locked, the next fire will. Between two failures may lie any number of
    instants that were skipped, and unlike a fire, a failure has the time to look through them.
    """
    cron = cron_pauses.lock_pausable(tx, cron_id)
    if cron is not None:
        pause_if_failing(tx, cron, among_latest=None)
