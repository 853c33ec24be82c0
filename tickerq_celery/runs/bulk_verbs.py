"""What a bulk job does to locked runs: one statement for all that are plain, the single verb for others."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

from tickerq_celery.enums import CLAIMED, RETRIABLE, TERMINAL, BulkAction, TickerStatus
from tickerq_celery.errors import DuplicateTickerError, TickerStateError
from tickerq_celery.runs.cancelling import CANCELLED_REASON, CancelledRun, cancel, ended_unstarted
from tickerq_celery.runs.manual_retry import needs_new_task_id, retry
from tickerq_celery.store.cron import cron_tickers
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.records.bulk_runs import BulkRun
from tickerq_celery.store.runs import chains, ends, manual_retries
from tickerq_celery.store.runs import deletes as run_deletes
from tickerq_celery.tickers.known_outcomes import refused_status

KEY_TAKEN = "another ticker has taken its unique key"
_REFUSED = "is {}: it cannot be {}"
_ABOVE = "is above one that is {}: it cannot be deleted, cancel that one first"


@dataclass(slots=True, kw_only=True)
class Applied:
    """What was done to some runs; those that are ``busy`` are locked by others, or what belongs to them.

    ``who_and_why`` is what their rows say of who had it done.
    """

    who_and_why: str = ""
    changed: int = 0
    skips: dict[str, list[UUID]] = field(default_factory=dict)
    busy: list[UUID] = field(default_factory=list)
    cancelled: list[CancelledRun] = field(default_factory=list)
    left: Sequence[UUID] = ()

    def skip(self, run_id: UUID, reason: str) -> None:
        """Count a run that stays as it is."""
        self.skips.setdefault(reason, []).append(run_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkVerb:
    """One action: which statuses refuse it, which runs are plain, and how it is done to both kinds."""

    participle: str
    refused: frozenset[TickerStatus]
    is_plain: Callable[[BulkRun], bool]
    at_once: Callable[[Transaction, Sequence[BulkRun], Applied], None]
    singly: Callable[[Transaction, Sequence[BulkRun], Applied], None]

    def refusal(self, run: BulkRun) -> str | None:
        """Return why the status of a run does not allow this, or None."""
        if run.status not in self.refused:
            return None
        return _REFUSED.format(refused_status(run.kind, run.status, run.started_at), self.participle)


def _is_plainly_retried(run: BulkRun) -> bool:
    return run.cron_ticker_id is None and run.unique_key is None and not needs_new_task_id(run)


def _retry_at_once(tx: Transaction, runs: Sequence[BulkRun], done: Applied) -> None:
    manual_retries.retry_all(tx, [run.id for run in runs])
    done.changed += len(runs)


def _retry_singly(tx: Transaction, runs: Sequence[BulkRun], done: Applied) -> None:
    # A retry locks the cron ticker of an occurrence: of those that another process has locked none waits.
    wanted = {run.cron_ticker_id for run in runs if run.cron_ticker_id is not None}
    free = {None, *(cron.id for cron in cron_tickers.lock_free(tx, wanted))}
    for run in runs:
        if run.cron_ticker_id not in free:
            done.busy.append(run.id)
            continue
        try:
            retry(tx, run)
        except TickerStateError as error:
            done.skip(run.id, _REFUSED.format(error.status, error.wanted))
        except DuplicateTickerError:
            done.skip(run.id, KEY_TAKEN)
        else:
            done.changed += 1


def _is_plainly_cancelled(run: BulkRun) -> bool:
    return run.cron_ticker_id is None and run.status is not TickerStatus.IN_PROGRESS


def _cancel_at_once(tx: Transaction, runs: Sequence[BulkRun], done: Applied) -> None:
    parents = [run.id for run in runs if run.run.has_children]
    stuck = set(parents) - chains.lock_waiting(tx, parents)
    done.busy += [run.id for run in runs if run.id in stuck]
    free = [run for run in runs if run.id not in stuck]
    reason = f"{CANCELLED_REASON}{done.who_and_why}"
    ends.end_unstarted(tx, [run.id for run in free], status=TickerStatus.CANCELLED, reason=reason)
    done.cancelled += ended_unstarted(tx, free, reason)
    done.changed += len(free)


def _cancel_singly(tx: Transaction, runs: Sequence[BulkRun], done: Applied, *, terminate: bool) -> None:
    for run in runs:
        try:
            cancelled = cancel(tx, run.id, None, terminate, who_and_why=done.who_and_why).result
        except TickerStateError as error:
            done.skip(run.id, _REFUSED.format(error.status, error.wanted))
            continue
        if cancelled is None:
            done.busy.append(run.id)
        else:
            done.cancelled.append(cancelled)
            done.changed += 1


def _is_plainly_deleted(run: BulkRun) -> bool:
    return not run.run.has_children


def _delete_at_once(tx: Transaction, runs: Sequence[BulkRun], done: Applied) -> None:
    _delete(tx, [run.id for run in runs], done)


def _delete_singly(tx: Transaction, runs: Sequence[BulkRun], done: Applied) -> None:
    # Each with all that is below it in its chain, or not at all.
    for run in runs:
        _delete(tx, [run.id], done)


def _delete(tx: Transaction, ids: Sequence[UUID], done: Applied) -> None:
    found = run_deletes.lock_chains(tx, ids, type=None, waits=False)
    if found.active is not None:
        done.skip(found.active.head, _ABOVE.format(found.active.status))
    elif found.busy:
        done.busy += found.busy
    else:
        run_deletes.remove(tx, found)
        # Also those that went before, as they were below others.
        done.changed += len(ids)


def _cancelling(*, terminate: bool) -> BulkVerb:
    return BulkVerb(
        participle="cancelled",
        refused=TERMINAL,
        is_plain=_is_plainly_cancelled,
        at_once=_cancel_at_once,
        singly=partial(_cancel_singly, terminate=terminate),
    )


VERBS: Mapping[BulkAction, BulkVerb] = {
    BulkAction.RETRY: BulkVerb(
        participle="retried",
        refused=frozenset(TickerStatus) - RETRIABLE,
        is_plain=_is_plainly_retried,
        at_once=_retry_at_once,
        singly=_retry_singly,
    ),
    BulkAction.DELETE: BulkVerb(
        participle="deleted, cancel it first",
        refused=CLAIMED,
        is_plain=_is_plainly_deleted,
        at_once=_delete_at_once,
        singly=_delete_singly,
    ),
    BulkAction.CANCEL: _cancelling(terminate=False),
    BulkAction.TERMINATE: _cancelling(terminate=True),
}
